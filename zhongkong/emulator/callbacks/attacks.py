"""Callbacks that WeChat would never send: what a receiver has to withstand (P8). Pure.

Those whose signature holds stand for what an attacker does who knows a captured query or the keys,
or for a fault of the sender; the rest stand for strangers.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.callbacks.drafts import sealed_well
from zhongkong.wechat.envelope import AesKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zhongkong.emulator.callbacks.configuration import CallbackSettings
    from zhongkong.emulator.callbacks.drafts import Draft

STALE_S: Final = 3600
_FOREIGN_KEY: Final = AesKey.parse("Zm9yZWlnbmtleWZvcmVpZ25rZXlmb3JlaWdua2V5eng")
_BLOCK: Final = 32
_HEADER: Final = 20
_DEEP: Final = 10_000

_DTD: Final = b'<!DOCTYPE xml [<!ELEMENT xml ANY><!ENTITY note "dtd">]>'
_EXTERNAL: Final = b'<!DOCTYPE xml [<!ENTITY note SYSTEM "file:///etc/passwd">]>'
_LAUGHS: Final = b"".join(
    [
        b'<!DOCTYPE xml [<!ENTITY l0 "ha">',
        *(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">'.encode() for level in range(1, 10)),
        b"]>",
    ]
)


@dataclass(frozen=True, slots=True)
class Attack:
    """`change` works on the draft before it becomes bytes; `says` is for the documentation."""

    says: str
    change: Callable[[Draft], None]
    encrypted: bool = False
    xml: bool = False


def unfit(name: str, settings: CallbackSettings) -> str | None:
    """Why the attack makes no sense with this configuration; None when it does."""
    attack = ATTACKS[name]
    if attack.encrypted and not settings.encrypted:
        return f"attack {name} needs compatible or safe mode; this callback is in plaintext mode"
    if attack.xml and settings.format != "xml":
        return f"attack {name} needs format xml; this callback has format json"
    return None


def _wrong_token(draft: Draft) -> None:
    draft.token = "another" + draft.token[:20]


def _wrong_key(draft: Draft) -> None:
    draft.key = _FOREIGN_KEY


def _wrong_appid(draft: Draft) -> None:
    draft.appid = "wx" + "0" * 16


def _truncated(draft: Draft) -> None:
    draft.sealed = lambda whole: sealed_well(whole)[:-5]


def _pad_0(draft: Draft) -> None:
    draft.sealed = lambda whole: _sealed_raw(whole, padding=0)


def _pad_33(draft: Draft) -> None:
    draft.sealed = lambda whole: _sealed_raw(whole, padding=33)


def _length(draft: Draft) -> None:
    draft.sealed = lambda whole: _sealed_raw(whole, length=0xFFFF_FF00)


def _in_message(prolog: bytes, entity: bytes) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        draft.message = prolog + _with_element(draft.message, entity)
        draft.clear = prolog + _with_element(draft.clear, entity)

    return change


def _in_envelope(prolog: bytes, entity: bytes) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        draft.envelope = lambda body: prolog + _with_element(body, entity)

    return change


def _huge(draft: Draft) -> None:
    filler = b"x" * draft.huge_bytes
    draft.message = _with_field(draft, draft.message, filler)
    draft.clear = _with_field(draft, draft.clear, filler)


def _deep(draft: Draft) -> None:
    if draft.format == "xml":
        nested = b"<a>" * _DEEP + b"</a>" * _DEEP
        draft.message = _with_element(draft.message, nested)
        draft.clear = _with_element(draft.clear, nested)
    else:
        deep = b',"Deep":' + b"[" * _DEEP + b"]" * _DEEP + b"}"
        draft.message = draft.message[:-1] + deep
        draft.clear = draft.clear[:-1] + deep


def _not_utf8(draft: Draft) -> None:
    draft.message = draft.message[:-1] + b"\xff\xfe" + draft.message[-1:]
    draft.clear = draft.message


def _stale(draft: Draft) -> None:
    draft.timestamp -= STALE_S


def _downgrade(draft: Draft) -> None:
    draft.mode = "plaintext"


def _unsigned(draft: Draft) -> None:
    draft.query = {"timestamp": str(draft.timestamp), "nonce": draft.nonce, "openid": draft.openid}


def _altered_replay(draft: Draft) -> None:
    """The old query stands in the draft already."""


ATTACKS: Final[Mapping[str, Attack]] = MappingProxyType(
    {
        "wrong_token": Attack("signed with another token", _wrong_token),
        "unsigned": Attack("no signature at all", _unsigned),
        "wrong_key": Attack("encrypted with another EncodingAESKey", _wrong_key, encrypted=True),
        "wrong_appid": Attack("sealed for another appid", _wrong_appid, encrypted=True),
        "truncated_base64": Attack("Encrypt without its end", _truncated, encrypted=True),
        "pad_0": Attack("padding bytes of value 0", _pad_0, encrypted=True),
        "pad_33": Attack("padding bytes of value 33", _pad_33, encrypted=True),
        "length_too_large": Attack("a length beyond the buffer", _length, encrypted=True),
        "downgrade": Attack("plaintext mode's query and body", _downgrade, encrypted=True),
        "dtd": Attack("a DOCTYPE in the message", _in_message(_DTD, b"<N>&note;</N>"), xml=True),
        "external_entity": Attack(
            "an external entity in the message", _in_message(_EXTERNAL, b"<N>&note;</N>"), xml=True
        ),
        "billion_laughs": Attack(
            "entities that grow, in the message", _in_message(_LAUGHS, b"<N>&l9;</N>"), xml=True
        ),
        "envelope_dtd": Attack(
            "a DOCTYPE around Encrypt",
            _in_envelope(_DTD, b"<N>&note;</N>"),
            encrypted=True,
            xml=True,
        ),
        "envelope_billion_laughs": Attack(
            "entities that grow, around Encrypt",
            _in_envelope(_LAUGHS, b"<N>&l9;</N>"),
            encrypted=True,
            xml=True,
        ),
        "huge_body": Attack("a field of `huge_bytes`", _huge),
        "deep_nesting": Attack("10,000 levels", _deep),
        "not_utf8": Attack("bytes that are no UTF-8", _not_utf8),
        "stale_timestamp": Attack("a timestamp of an hour ago, signed well", _stale),
        "altered_replay": Attack("the query of `replay_of` with another body", _altered_replay),
    }
)


def _sealed_raw(draft: Draft, *, padding: int | None = None, length: int | None = None) -> str:
    if draft.key is None:
        return ""
    message, appid = draft.message, draft.appid.encode()
    missing = _BLOCK - (_HEADER + len(message) + len(appid)) % _BLOCK
    if padding is not None and padding > _BLOCK:
        # Blanks behind the message make room, so that nothing but the padding is odd.
        message += b" " * (-(_HEADER + len(message) + len(appid) + padding) % _BLOCK)
        missing = padding
    stated = len(message) if length is None else length
    value = missing if padding is None else padding
    buffer = draft.noise.encode() + stated.to_bytes(4, "big") + message + appid
    return b64encode(draft.key.encrypt(buffer + bytes([value]) * missing)).decode()


def _with_element(body: bytes, element: bytes) -> bytes:
    return body.removesuffix(b"</xml>") + element + b"</xml>"


def _with_field(draft: Draft, body: bytes, filler: bytes) -> bytes:
    if draft.format == "xml":
        return _with_element(body, b"<Filler><![CDATA[" + filler + b"]]></Filler>")
    return body[:-1] + b',"Filler":"' + filler + b'"}'
