"""Leases of deliveries in SQLite, and how they end. How deliveries begin is in sqlite_arrivals.

Each function runs inside the writer's transaction. `name` names the leases that one call gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from callback_gateway.inbox import codec
from callback_gateway.inbox.records import (
    Dead,
    Delivery,
    Done,
    Kind,
    ReplyState,
    Retry,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from callback_gateway.inbox.records import Settlement

_DUE = """
SELECT e.id, e.account, d.target, d.kind, e.document, d.attempts, d.failures,
    d.cut_off + (d.lease IS NOT NULL), e.accepted_at, d.reply_until, d.marks, d.due, d.event
FROM deliveries d JOIN events e ON e.number = d.event
"""
_DUE_OF_TARGET: Final = (
    _DUE + "WHERE d.target = ? AND d.due <= ? ORDER BY d.due, d.event, d.kind LIMIT ?"
)
_DUE_REPLY: Final = _DUE + "WHERE d.event = ? AND d.kind = ? AND d.due <= ?"
_LEASE: Final = """
UPDATE deliveries SET lease = ?, due = ?, cut_off = ? WHERE event = ? AND target = ? AND kind = ?
"""

_STANDING: Final = """
SELECT d.event, d.lease FROM deliveries d JOIN events e ON e.number = d.event
WHERE e.id = ? AND d.target = ? AND d.kind = ?
"""
_RENEW: Final = "UPDATE deliveries SET due = ? WHERE event = ? AND target = ? AND kind = ?"
_PUT_BACK: Final = """
UPDATE deliveries SET lease = NULL, due = ?, failures = failures + ?, attempts = ?
WHERE event = ? AND target = ? AND kind = ?
"""
_REMOVE: Final = "DELETE FROM deliveries WHERE event = ? AND target = ? AND kind = ?"
_OVER: Final = """
UPDATE events SET standing = standing - 1,
    document = CASE WHEN standing > 1 THEN document END WHERE number = ?
"""
_ANSWER: Final = """
UPDATE events SET reply_state = ?, reply = ? WHERE number = ? AND reply_state = ?
"""
_SUPERSEDE: Final = "DELETE FROM dead_letters WHERE id = ?"
_BURY: Final = """
INSERT INTO dead_letters
    (id, event_id, account, target, kind, reason, died_at, accepted_at, attempts, document)
SELECT ?, id, account, ?, ?, ?, ?, accepted_at, ?, document FROM events WHERE number = ?
"""
_HASTEN: Final = "UPDATE deliveries SET due = ? WHERE target = ? AND due > ? AND lease IS NULL"
_HEAD: Final = "SELECT min(due) FROM deliveries WHERE target = ?"


def lease(
    connection: sqlite3.Connection, wanted: Mapping[str, int], name: str, now: float
) -> list[Delivery]:
    """Lease what is due of each target, at most as many as wanted, the longest due first."""
    due: list[Any] = []
    for target, most in wanted.items():
        due += connection.execute(_DUE_OF_TARGET, (target, now, max(most, 0)))
    due.sort(key=lambda row: (row[11], row[12], row[3]))
    return [_leased(connection, row, name, now) for row in due]


def take_over(connection: sqlite3.Connection, event: int, name: str, now: float) -> Delivery | None:
    """Lease the reply delivery of an event (by number) when it is due."""
    row = connection.execute(_DUE_REPLY, (event, Kind.REPLY, now)).fetchone()
    return None if row is None else _leased(connection, row, name, now)


def renew(
    connection: sqlite3.Connection, deliveries: Sequence[Delivery], now: float
) -> list[Delivery]:
    """Prolong leases; returns those that are void."""
    void: list[Delivery] = []
    for delivery in deliveries:
        event, lease = _standing(connection, delivery)
        if event is None or lease != delivery.lease:
            void.append(delivery)
        else:
            until = now + codec.lease_s(delivery.kind)
            connection.execute(_RENEW, (until, event, delivery.target, delivery.kind))
    return void


def settle(connection: sqlite3.Connection, settlements: Sequence[Settlement], now: float) -> None:
    """End leases, in the order given."""
    for settlement in settlements:
        delivery, result = settlement.delivery, settlement.result
        event, lease = _standing(connection, delivery)
        if event is None:
            continue
        if isinstance(result, Done):
            _finish(connection, event, delivery, ReplyState.ANSWERED, result.reply or b"")
        elif lease != delivery.lease:
            continue
        elif isinstance(result, Dead):
            _bury(connection, event, settlement, result.reason, now)
        else:
            _put_back(connection, event, settlement, now)


def next_due_in(connection: sqlite3.Connection, targets: Sequence[str], now: float) -> float | None:
    """Seconds until the first is due; the first of each target is the head of the index."""
    heads = [connection.execute(_HEAD, (target,)).fetchone()[0] for target in targets]
    due = [head for head in heads if head is not None]
    return max(0.0, min(due) - now) if due else None


def hasten(connection: sqlite3.Connection, target: str, now: float) -> int:
    """Make waiting retries due; returns how many."""
    return connection.execute(_HASTEN, (now, target, now)).rowcount


def _standing(connection: sqlite3.Connection, delivery: Delivery) -> tuple[int | None, str | None]:
    """The number of the event whose delivery this is, and who leases it; Nones when it is over."""
    named = (delivery.event_id, delivery.target, delivery.kind)
    event, lease = connection.execute(_STANDING, named).fetchone() or (None, None)
    return event, lease


def _leased(connection: sqlite3.Connection, row: Any, name: str, now: float) -> Delivery:
    (event_id, account, target, kind_name, document, attempts, failures, cut_off) = row[:8]
    (accepted_at, reply_until, marks, _, event) = row[8:]
    kind = Kind(kind_name)
    until = now + codec.lease_s(kind)
    connection.execute(_LEASE, (name, until, cut_off, event, target, kind))
    return Delivery(
        event_id=event_id,
        account=account,
        target=target,
        kind=kind,
        document=document,
        lease=name,
        attempts=codec.decode_attempts(attempts),
        failures=failures,
        cut_off=cut_off,
        accepted_at=accepted_at,
        reply_until=reply_until,
        now=now,
        marks=codec.decode_marks(marks),
    )


def _finish(
    connection: sqlite3.Connection,
    event: int,
    delivery: Delivery,
    state: ReplyState,
    reply: bytes | None,
) -> None:
    """A delivery is over; the event goes with its last one and leaves its id behind."""
    connection.execute(_REMOVE, (event, delivery.target, delivery.kind))
    connection.execute(_OVER, (event,))
    if delivery.kind is Kind.REPLY:
        connection.execute(_ANSWER, (state, reply, event, ReplyState.RUNNING))


def _bury(
    connection: sqlite3.Connection, event: int, settlement: Settlement, reason: str, now: float
) -> None:
    delivery = settlement.delivery
    attempts = codec.encode_attempts(codec.attempts_after(settlement))
    letter_id = codec.dead_letter_id(delivery.event_id, delivery.target)
    connection.execute(_SUPERSEDE, (letter_id,))
    row = (letter_id, delivery.target, delivery.kind, reason, now, attempts, event)
    connection.execute(_BURY, row)
    _finish(connection, event, delivery, ReplyState.GIVEN_UP, None)


def _put_back(
    connection: sqlite3.Connection, event: int, settlement: Settlement, now: float
) -> None:
    delivery, result = settlement.delivery, settlement.result
    due, failed = (now + result.after_s, 1) if isinstance(result, Retry) else (now, 0)
    attempts = codec.encode_attempts(codec.attempts_after(settlement))
    connection.execute(_PUT_BACK, (due, failed, attempts, event, delivery.target, delivery.kind))
