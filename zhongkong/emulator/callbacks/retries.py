"""What is to be done next about a push: try, wait, or end. Pure; times are monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhongkong.emulator.callbacks.course import Schedule
    from zhongkong.emulator.callbacks.records import Attempt


@dataclass(frozen=True, slots=True)
class Try:
    """Send it at `at`, unless an answer comes first: ask again then. `repeat`: a duplicate."""

    at: float
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing until a try that is open ends."""


@dataclass(frozen=True, slots=True)
class End:
    outcome: Literal["answered", "failed"]


Step: TypeAlias = Try | Await | End


def next_step(schedule: Schedule, attempts: Sequence[Attempt], accepted_at: float) -> Step:
    """`attempts` in the order of their sending; `accepted_at`: when the push was asked for."""
    answered = next((each for each in attempts if each.ok and not each.repeat), None)
    if answered is not None:
        return _after_an_answer(schedule, attempts, answered)
    if not attempts:
        return Try(accepted_at + schedule.delay_s)
    if len(attempts) >= schedule.tries or _is_final(schedule, attempts):
        return Await() if _any_open(attempts) else End("failed")
    last = attempts[-1]
    if last.by_error and schedule.at_once_after_error:
        return Try(last.ended or last.began)
    return Try(last.began + schedule.cadence_s)


def _after_an_answer(schedule: Schedule, attempts: Sequence[Attempt], answered: Attempt) -> Step:
    repeats = sum(each.repeat for each in attempts)
    if repeats < schedule.duplicates:
        return Try(
            (answered.ended or 0.0) + (repeats + 1) * schedule.duplicate_after_s, repeat=True
        )
    return Await() if _any_open(attempts) else End("answered")


def _is_final(schedule: Schedule, attempts: Sequence[Attempt]) -> bool:
    """An answer came that is nonsense, and WeChat doesn't ask again."""
    return not schedule.malformed_retried and any(each.malformed for each in attempts)


def _any_open(attempts: Sequence[Attempt]) -> bool:
    return any(each.ended is None for each in attempts)
