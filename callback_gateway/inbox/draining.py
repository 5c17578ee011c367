"""PURE: how what waited in the spool is said to the store, and what is settled there then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from callback_gateway.inbox.records import (
    Dead,
    Delivery,
    Done,
    Kind,
    Mark,
    Release,
    ReplyState,
    Settlement,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callback_gateway.inbox.records import Accepted, Arrival
    from callback_gateway.inbox.spool_moving import Spooled

TRIES_TOLD: Final = 4
"""More than WeChat makes."""


def arrivals_of(waiting: Spooled, now: float) -> list[Arrival]:
    """The arrival once for each try, so that the store counts on where the spool did."""
    arrival = replace(
        waiting.arrival,
        reply_within_s=max(0.0, waiting.reply_until - now),
        marks=waiting.arrival.marks | {Mark.SPOOLED},
    )
    return [arrival] * min(waiting.tries, TRIES_TOLD)


def settlement_of(waiting: Spooled, answers: Sequence[Accepted]) -> Settlement | None:
    """What became of the reply while the store was away."""
    if waiting.arrival.replier is None:
        return None
    lease = next((answer.lease for answer in answers if answer.lease is not None), None)
    last = waiting.attempts[-1] if waiting.attempts else None
    if waiting.reply_state is ReplyState.ANSWERED:
        # Done counts under any lease, as long as the delivery stands.
        return Settlement(lease or _delivery(waiting), Done(waiting.reply), last)
    if lease is None:
        return None
    if waiting.reply_state is ReplyState.GIVEN_UP:
        known = replace(lease, attempts=waiting.attempts[:-1])
        return Settlement(known, Dead(waiting.reason), last)
    return Settlement(lease, Release())


def is_moved(answers: Sequence[Accepted]) -> bool:
    """Whether the store has it now, or had it; what it finds altered it will never take."""
    return answers[0].verdict is not Verdict.FULL


def is_refused(answers: Sequence[Accepted]) -> bool:
    return answers[0].verdict is Verdict.ALTERED


def _delivery(waiting: Spooled) -> Delivery:
    arrival = waiting.arrival
    assert arrival.replier is not None  # noqa: S101 - asked above
    return Delivery(
        event_id=arrival.event_id,
        account=arrival.account,
        target=arrival.replier,
        kind=Kind.REPLY,
        document=arrival.document,
        lease="",
    )
