"""A slot's state as bytes, with the token value sealed. What is stored where is each store's own.

The document is JSON: `{"format": 1, "sealed": bool, "state": {…}}`. All but the token value stays
readable, so that a fence or an intent can be looked at without the key. Fields that a later version
adds are ignored here, fields that it doesn't know take their defaults.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import TypeAdapter, ValidationError

from token_service.freeze import Freeze
from token_service.slot import Kind, Mode, Slot, SlotState
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
KEY_BYTES_MIN = 32

_KEY_LABEL = b"zhongkong token store"
_STATE = TypeAdapter(SlotState)
_FREEZE = TypeAdapter(Freeze)


class UnreadableRecord(StoreUnavailable):
    """The store answers, but this slot's document is damaged or of a later version.

    To its callers the slot's store is away: what is held is served on, and nothing is minted in
    classic mode, because an unreadable slot isn't an empty one.
    """


class SealedRecord(UnreadableRecord):
    """The slot's token was sealed with a key that this process wasn't given."""


class KeyRefused(ValueError):
    """A configured encryption key is too short. Names its place in the list, never the key."""


class Sealer:
    """Encrypts token values: the first key seals, every key unseals, no key leaves them plain.

    A key is a Fernet key, or any text of at least 32 bytes, from which one is derived.
    Raises KeyRefused.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._size = len(keys)
        fernets = [Fernet(_fernet_key(key, place)) for place, key in enumerate(keys, 1)]
        self._fernet = MultiFernet(fernets) if fernets else None

    @property
    def active(self) -> bool:
        """Whether what is written from now on is sealed."""
        return self._fernet is not None

    def __repr__(self) -> str:
        return f"Sealer({self._size} keys)"

    def seal(self, value: str) -> str:
        return value if self._fernet is None else self._fernet.encrypt(value.encode()).decode()

    def unseal(self, text: str, slot: Slot) -> str:
        """Raises SealedRecord when none of the keys opens it."""
        if self._fernet is None:
            raise SealedRecord(
                f"the stored token of {slot} is encrypted and no encryption_keys are set: "
                "set the key that it was written with"
            )
        try:
            return self._fernet.decrypt(text.encode()).decode()
        except InvalidToken:
            raise SealedRecord(
                f"the stored token of {slot} can't be decrypted with any of the encryption_keys: "
                "put the key that it was written with back, after the first; it may go once every "
                "token was renewed under the new one"
            ) from None


def encode(state: SlotState, sealer: Sealer) -> bytes:
    """Write a state as a document, its token value sealed when there is a key."""
    if state.frozen is not None:
        state = replace(state, frozen=None)
    if state.record is not None:
        sealed = replace(state.record, value=sealer.seal(state.record.value))
        state = replace(state, record=sealed)
    return orjson.dumps({"format": FORMAT, "sealed": sealer.active, "state": state})


def decode(document: bytes, sealer: Sealer, slot: Slot) -> SlotState:
    """Read a document. Raises SealedRecord, UnreadableRecord."""
    envelope = _envelope(document, slot)
    try:
        state = _STATE.validate_python(envelope["state"])
        sealed = bool(envelope["sealed"])
    except (ValidationError, KeyError):
        # Without the cause, which quotes the document and with it the token.
        raise _damaged(slot) from None
    if state.record is None or not sealed:
        return state
    value = sealer.unseal(state.record.value, slot)
    return replace(state, record=replace(state.record, value=value))


def without_lease(document: bytes, slot: Slot) -> bytes:
    """Drop the lease from a document; the token stays sealed. Raises UnreadableRecord."""
    envelope = _envelope(document, slot)
    try:
        envelope["state"]["lease"] = None
    except (KeyError, TypeError):
        raise _damaged(slot) from None
    return orjson.dumps(envelope)


def encode_freeze(freeze: Freeze | None) -> bytes:
    """Write a store's freeze; nothing for none."""
    return b"" if freeze is None else orjson.dumps(freeze)


def decode_freeze(document: bytes | None) -> Freeze | None:
    """Read a store's freeze. Raises UnreadableRecord: a freeze that can't be read may stand."""
    if not document:
        return None
    try:
        return _FREEZE.validate_json(document)
    except ValidationError:
        raise UnreadableRecord(
            "the store's mark of a copy is damaged, or of a later version: run that version, or "
            "bring the store back from a backup"
        ) from None


def slot_of(appid: str, kind: str, mode: str) -> Slot | None:
    """Name a slot by its stored parts; None for a kind or mode that only a later version knows."""
    try:
        return Slot(appid, Kind(kind), Mode(mode))
    except ValueError:
        return None


def slot_named(name: str) -> Slot | None:
    """Read what `str` makes of a slot; None for one that only a later version knows."""
    parts = name.split("/")
    return slot_of(*parts) if len(parts) == 3 else None


def known_slot(name: str) -> Slot:
    """As `slot_named`, where none may be left out. Raises UnreadableRecord."""
    slot = slot_named(name)
    if slot is None:
        raise UnreadableRecord(
            f"the store holds {name}, of which only a later version knows: run that one"
        )
    return slot


def _envelope(document: bytes, slot: Slot) -> dict[str, Any]:
    try:
        envelope = orjson.loads(document)
        found = int(envelope["format"])
    except (ValueError, KeyError, TypeError):
        raise _damaged(slot) from None
    if found > FORMAT:
        raise UnreadableRecord(
            f"the stored state of {slot} has format {found}, this version reads up to {FORMAT}: "
            "run the version that wrote it, or a later one"
        )
    return dict(envelope)


def _damaged(slot: Slot) -> UnreadableRecord:
    return UnreadableRecord(
        f"the stored state of {slot} is damaged: bring the store back from a backup, or delete "
        "this slot's entry, after which a new token is fetched"
    )


def _fernet_key(key: str, place: int) -> bytes:
    material = key.encode()
    if len(material) < KEY_BYTES_MIN:
        raise KeyRefused(
            f"key {place} of encryption_keys has {len(material)} bytes, it needs at least "
            f"{KEY_BYTES_MIN}: `openssl rand -base64 32` makes a good one"
        )
    if _is_fernet_key(material):
        return material
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_KEY_LABEL).derive(material)
    return urlsafe_b64encode(derived)


def _is_fernet_key(material: bytes) -> bool:
    try:
        return len(material) == 44 and len(urlsafe_b64decode(material)) == 32
    except ValueError:
        return False
