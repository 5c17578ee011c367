"""The written forms that the stores share, and what is too large to be kept. No I/O.

Documents are JSON. Fields that a later version adds are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from menu_worker.store.base import Outcome, Revision, Verified
from zhongkong.runtime.storage import StoreUnavailable

DOCUMENT_BYTES_MAX: Final = 256 * 1024
"""Of each menu that is kept. The largest that WeChat takes is far smaller."""

DETAIL_KEPT: Final = 2_000
"""Characters of how a write ended."""


class DocumentTooLarge(ValueError):
    """A menu isn't kept, and nothing was written. Repeating it ends in the same way."""


class UnreadableRecord(StoreUnavailable):
    """The store answers, but what stands there is damaged or of a later version."""


def encode_document(document: Mapping[str, Any], account: str, what: str) -> bytes:
    """Write a menu as JSON. `what` names it in the refusal. Raises DocumentTooLarge."""
    text = orjson.dumps(document, default=_plain)
    if len(text) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge(
            f"{what} of {account} has {len(text)} bytes and the store keeps menus of at most "
            f"{DOCUMENT_BYTES_MAX}: shorten it, or split the account's conditional menus up"
        )
    return text


def decode_document(text: bytes, account: str) -> dict[str, Any]:
    """Read what `encode_document` wrote. Raises UnreadableRecord."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise damaged(account) from None
    if not isinstance(document, dict):
        raise damaged(account)
    return document


def encode_record(
    account: str,
    *,
    actor: str,
    reason: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    fingerprint: str,
) -> bytes:
    """A revision without what the store itself adds: id, time, outcome. Raises DocumentTooLarge."""
    return orjson.dumps(
        {
            "actor": actor,
            "reason": reason,
            "fingerprint": fingerprint,
            "before": orjson.Fragment(encode_document(before, account, "the live menu")),
            "after": orjson.Fragment(encode_document(after, account, "the desired menu")),
        }
    )


def decode_record(record: bytes, *, account: str, number: int, at: float, ending: str) -> Revision:
    """Raises UnreadableRecord."""
    fields = decode_document(record, account)
    outcome, detail = decode_ending(ending, account)
    try:
        return Revision(
            id=number,
            account=account,
            at=at,
            actor=fields["actor"],
            reason=fields["reason"],
            before=fields["before"],
            after=fields["after"],
            fingerprint=fields["fingerprint"],
            outcome=outcome,
            detail=detail,
        )
    except KeyError:
        raise damaged(account) from None


def encode_ending(outcome: Outcome, detail: str) -> str:
    return f"{outcome.value} {kept_detail(detail)}"


def decode_ending(ending: str, account: str) -> tuple[Outcome, str]:
    """How a write ended; "" for one that hasn't. Raises UnreadableRecord."""
    word, _, detail = ending.partition(" ")
    return (outcome_of(word, account) if word else Outcome.STARTED), detail


def outcome_of(word: str, account: str) -> Outcome:
    """Raises UnreadableRecord for one that only a later version knows."""
    try:
        return Outcome(word)
    except ValueError:
        raise damaged(account) from None


def kept_detail(detail: str) -> str:
    return detail[:DETAIL_KEPT]


def encode_verified(fingerprint: str, menu: bytes) -> bytes:
    return orjson.dumps({"fingerprint": fingerprint, "menu": orjson.Fragment(menu)})


def decode_verified(record: bytes, account: str, at: float) -> Verified:
    """Raises UnreadableRecord."""
    fields = decode_document(record, account)
    try:
        return Verified(fields["fingerprint"], fields["menu"], at)
    except KeyError:
        raise damaged(account) from None


def damaged(account: str) -> UnreadableRecord:
    return UnreadableRecord(
        f"what the store keeps of {account} is damaged or was written by a later version: run that "
        "version, or bring the store back from a backup"
    )


def _plain(value: object) -> object:
    """What orjson doesn't know: mappings that aren't dicts."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a menu can't hold a {type(value).__name__}")
