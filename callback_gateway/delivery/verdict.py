"""PURE: what an attempt's outcome means for its delivery: done, again later, or dead.

A reply delivery has a window: within it failed attempts are repeated as long as one more can still
be heard, after it nothing is repeated. Waits are computed in schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from callback_gateway.delivery.outcome import GONE, INVALID_REPLY
from callback_gateway.delivery.reply_body import InvalidReply, stored_reply
from callback_gateway.delivery.schedule import wait_s
from callback_gateway.inbox.records import Dead, Done, Retry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callback_gateway.delivery.outcome import Outcome
    from callback_gateway.inbox.records import Delivery

EXHAUSTED: Final = "exhausted"
"""All attempts of the schedule failed."""
TARGET_GONE: Final = "target_gone"
"""The target answered 410: it wants no more."""
TARGET_UNKNOWN: Final = "target_unknown"
"""No target of this name is configured."""
CUT_OFF: Final = "cut_off"
"""Each process that asked for this reply died over it, and nobody waits for it any more."""
WINDOW_CLOSED: Final = "window_closed"
"""No further attempt fits into the window of the reply."""

CUT_OFF_AT_MOST: Final = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to settle, and what the attempt is called. `flaw`: where a reply is invalid."""

    result: Done | Retry | Dead
    outcome: str
    flaw: str | None = None
    target_gone: bool = False
    """The target is to get no more."""


def judge_notify(
    outcome: Outcome, failures: int, schedule: Sequence[float], chance: float
) -> Judgement:
    """`failures` before this attempt; `chance` in [0, 1)."""
    if outcome.delivered:
        return Judgement(Done(), outcome.name)
    if outcome.status == GONE:
        return Judgement(Dead(TARGET_GONE), outcome.name, target_gone=True)
    pause_s = wait_s(schedule, failures, chance=chance, asked_s=outcome.retry_after_s)
    if pause_s is None:
        return Judgement(Dead(EXHAUSTED), outcome.name)
    return Judgement(Retry(pause_s), outcome.name)


def judge_reply(
    outcome: Outcome,
    failures: int,
    schedule: Sequence[float],
    chance: float,
    *,
    left_s: float,
    answering: str,
) -> Judgement:
    """`left_s` of the window, negative after it; `answering` as in reply_body."""
    if outcome.delivered:
        return _judge_body(outcome, answering)
    if outcome.status == GONE:
        return Judgement(Dead(TARGET_GONE), outcome.name)
    pause_s = wait_s(schedule, failures, chance=chance, asked_s=outcome.retry_after_s)
    if pause_s is None:
        return Judgement(Dead(EXHAUSTED), outcome.name)
    if pause_s >= left_s:
        return Judgement(Dead(WINDOW_CLOSED), outcome.name)
    return Judgement(Retry(pause_s), outcome.name)


def hopeless_reply(delivery: Delivery, left_s: float) -> Dead | None:
    """Whether a leased reply delivery is to be given up without an attempt."""
    if left_s <= 0 and delivery.cut_off >= CUT_OFF_AT_MOST:
        return Dead(CUT_OFF)
    return None


def _judge_body(outcome: Outcome, answering: str) -> Judgement:
    try:
        if outcome.flaw is not None:
            raise InvalidReply(outcome.flaw)
        return Judgement(Done(stored_reply(outcome.body, answering)), outcome.name)
    except InvalidReply as invalid:
        # What a target said it will say again: its next answer would come too late anyway.
        return Judgement(Dead(INVALID_REPLY), INVALID_REPLY, flaw=invalid.path)
