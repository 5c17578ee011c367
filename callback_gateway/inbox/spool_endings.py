"""How local leases of reply attempts are prolonged and end, in the spool's SQL.

Each function runs inside the writer's transaction. How they begin is in spool_rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callback_gateway.inbox import codec
from callback_gateway.inbox.records import REPLY_LEASE_S, Dead, Done, ReplyState, Retry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from callback_gateway.inbox.records import Delivery, Settlement

_IS_HERE: Final = "SELECT 1 FROM spooled WHERE id = ?"
_RENEW: Final = "UPDATE spooled SET due = ? WHERE id = ? AND lease = ? AND state = ?"
_ANSWER: Final = "UPDATE spooled SET state = ?, reply = ? WHERE id = ? AND state = ?"
_END: Final = """
UPDATE spooled SET state = ?, reason = ?, lease = NULL, due = ?, failures = failures + ?,
    attempts = ? WHERE id = ? AND lease = ? AND state = ?
"""


def renew(
    connection: sqlite3.Connection, deliveries: Sequence[Delivery], now: float
) -> list[Delivery]:
    """Prolong local leases; returns those that are void."""
    until = now + REPLY_LEASE_S
    return [
        each
        for each in deliveries
        if not connection.execute(
            _RENEW, (until, each.event_id, each.lease, ReplyState.RUNNING)
        ).rowcount
    ]


def settle(
    connection: sqlite3.Connection, settlements: Sequence[Settlement], now: float
) -> list[Settlement]:
    """End local leases; returns those whose event isn't here any more."""
    return [each for each in settlements if not _settle(connection, each, now)]


def _settle(connection: sqlite3.Connection, settlement: Settlement, now: float) -> bool:
    """False when the event isn't here."""
    event_id, result = settlement.delivery.event_id, settlement.result
    if connection.execute(_IS_HERE, (event_id,)).fetchone() is None:
        return False
    if isinstance(result, Done):
        answer = (ReplyState.ANSWERED, result.reply or b"", event_id, ReplyState.RUNNING)
        connection.execute(_ANSWER, answer)
        return True
    state, reason, due, failed = ReplyState.RUNNING, None, now, 0
    if isinstance(result, Dead):
        state, reason = ReplyState.GIVEN_UP, result.reason
    elif isinstance(result, Retry):
        due, failed = now + result.after_s, 1
    attempts = codec.encode_attempts(codec.attempts_after(settlement))
    held = (event_id, settlement.delivery.lease, ReplyState.RUNNING)
    connection.execute(_END, (state, reason, due, failed, attempts, *held))
    return True
