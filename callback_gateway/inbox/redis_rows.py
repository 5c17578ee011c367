"""PURE: what the scripts of the Redis inbox are given, and what they answer, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from callback_gateway.inbox import codec
from callback_gateway.inbox.records import (
    Accepted,
    Dead,
    DeadLetter,
    Delivery,
    Done,
    Joined,
    Kind,
    ReplyState,
    Retry,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from callback_gateway.inbox.records import Arrival, Settlement
    from zhongkong.runtime.redis_wire import Word

SEPARATOR: Final = "\n"

_NEW: Final = 1
_LEASED: Final = 2
_PLAIN: Final = {
    _NEW: Accepted(Verdict.NEW),
    3: Accepted(Verdict.ALTERED),
    4: Accepted(Verdict.FULL),
}
_LETTERS: Final = {Kind.NOTIFY: "n", Kind.REPLY: "r"}
_KINDS: Final = {b"n": Kind.NOTIFY, b"r": Kind.REPLY}


def targets_of(arrivals: Iterable[Arrival]) -> str:
    """All targets, each once."""
    found: set[str] = set()
    for arrival in arrivals:
        found.update(arrival.notify)
        if arrival.replier is not None:
            found.add(arrival.replier)
    return SEPARATOR.join(found)


def arrival_words(arrivals: Iterable[Arrival]) -> list[Word]:
    """Ten words an arrival, as accept.lua takes them."""
    words: list[Word] = []
    for each in arrivals:
        stamp = each.stamp
        words += (
            each.event_id,
            each.account,
            each.document,
            SEPARATOR.join(each.notify),
            each.replier or "",
            each.reply_within_s,
            "" if stamp is None else stamp.proof,
            "" if stamp is None else stamp.body,
            "" if each.malformed is None else each.malformed or "malformed",
            codec.encode_marks(each.marks) if each.marks else "",
        )
    return words


def accepted(arrival: Arrival, answer: Any, lease: str, now: float) -> Accepted:
    """What accept.lua said of an arrival."""
    if isinstance(answer, int):
        plain = _PLAIN.get(answer)
        return plain or _leased_at_once(arrival, lease, now)
    tries, state, reply, row = answer
    return Accepted(
        Verdict.DUPLICATE,
        tries,
        ReplyState(state.decode()),
        reply,
        None if row is None else delivery(row, now),
    )


def _leased_at_once(arrival: Arrival, lease: str, now: float) -> Accepted:
    assert arrival.replier is not None  # noqa: S101 - accept.lua leases nothing else
    given = Delivery(
        event_id=arrival.event_id,
        account=arrival.account,
        target=arrival.replier,
        kind=Kind.REPLY,
        document=arrival.document,
        lease=lease,
        accepted_at=now,
        reply_until=now + arrival.reply_within_s,
        now=now,
        marks=arrival.marks,
    )
    return Accepted(Verdict.NEW, 1, ReplyState.RUNNING, None, given)


def joined(answer: Any, now: float) -> Joined:
    state, reply, row = answer
    return Joined(ReplyState(state.decode()), reply, None if row is None else delivery(row, now))


def delivery(row: Any, now: float) -> Delivery:
    """A lease, as deliveries.lua gives it."""
    (event_id, account, target, kind, document, lease, attempts) = row[:7]
    (failures, cut_off, born, until, marks, _since) = row[7:]
    return Delivery(
        event_id=event_id.decode(),
        account=account.decode(),
        target=target.decode(),
        kind=_KINDS[kind],
        document=document,
        lease=lease.decode(),
        attempts=codec.decode_attempts(attempts),
        failures=failures,
        cut_off=cut_off,
        accepted_at=float(born),
        reply_until=float(until) if until else None,
        now=now,
        marks=codec.decode_marks(marks.decode()),
    )


def due_since(row: Any) -> float:
    return float(row[-1])


def lease_words(each: Delivery) -> tuple[Word, ...]:
    """Which delivery, and under which lease."""
    return (each.event_id, each.target, _LETTERS[each.kind], each.lease)


def settlement_words(each: Settlement) -> tuple[Word, ...]:
    """Seven words, as settle.lua takes them."""
    result = each.result
    said: tuple[str, Word]
    if isinstance(result, Done):
        # What a delivery leaves behind when it is done holds no attempts.
        return (*lease_words(each.delivery), "done", result.reply or b"", "")
    if isinstance(result, Retry):
        said = ("retry", result.after_s)
    elif isinstance(result, Dead):
        said = ("dead", result.reason)
    else:
        said = ("release", "")
    attempts = codec.encode_attempts(codec.attempts_after(each))
    return (*lease_words(each.delivery), *said, attempts)


def dead_letter(letter_id: str, fields: Sequence[Any]) -> DeadLetter | None:
    """What dead_read.lua answered; None when the letter is gone."""
    event_id, account, target, kind, reason, died, born, document, attempts = fields
    if event_id is None:
        return None
    return DeadLetter(
        id=letter_id,
        event_id=event_id.decode(),
        account=account.decode(),
        target=target.decode(),
        kind=_KINDS[kind],
        reason=reason.decode(),
        died_at=float(died),
        accepted_at=float(born),
        document=document,
        attempts=codec.decode_attempts(attempts),
    )
