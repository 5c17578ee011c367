"""How a push goes: how often, when, with which bytes, and which attack it is. Pure values.

What a course leaves open is as the emulator's parameters say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from zhongkong.emulator.callbacks.attacks import ATTACKS
from zhongkong.emulator.parameters import LONGEST_S, MOST_TRIES

if TYPE_CHECKING:
    from zhongkong.emulator.parameters import Parameters

MOST_HUGE_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PushCourse:
    """None: as the parameter of that name says (`push_tries` …). Durations are seconds.

    tries               deliveries in all, unless one is answered well; an attack has one
    deadline_s          of each try, from its sending to the end of its answer
    cadence_s           the next try is sent so long after the sending of the one before, whether
                        that one is still open or not: below the deadline, tries overlap
    error_retried       after a refused connection or an error status: `cadence` or `at_once`
    keep_open_s         a connection stays open so long beyond the deadline; what is answered then
                        is too late, but the receiver's handler isn't cut off
    signs_anew          each try has its own nonce, timestamp and ciphertext; else identical bytes
    duplicates          further deliveries although one was answered well
    duplicate_after_s   the first so long after that answer, the others so far apart
    delay_s             the first try is held back so long
    timestamp_shift_s   added to the timestamp of the query
    key                 `previous`: encrypted with the key before
    clear_fields        compatible mode: what the clear part says in place of the truth; null leaves
                        a field out
    attack              bytes that WeChat would never send; see ATTACKS
    replay_of           altered_replay: the push whose query is used again
    huge_bytes          what a huge_body holds
    """

    tries: int | None = None
    deadline_s: float | None = None
    cadence_s: float | None = None
    error_retried: Literal["cadence", "at_once"] | None = None
    keep_open_s: float = 0.0
    signs_anew: bool | None = None
    duplicates: int = 0
    duplicate_after_s: float = 0.0
    delay_s: float = 0.0
    timestamp_shift_s: float = 0.0
    key: Literal["current", "previous"] = "current"
    clear_fields: dict[str, Any] = field(default_factory=dict)
    attack: str | None = None
    replay_of: str | None = None
    huge_bytes: int = 2 * 1024 * 1024

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.tries is not None and not 1 <= self.tries <= MOST_TRIES:
            raise ValueError(f"tries is between 1 and {MOST_TRIES}")
        if not 0 <= self.duplicates <= MOST_TRIES:
            raise ValueError(f"duplicates is between 0 and {MOST_TRIES}")
        times = (self.deadline_s, self.cadence_s, self.keep_open_s)
        for each in (*times, self.duplicate_after_s, self.delay_s):
            if each is not None and not 0 <= each <= LONGEST_S:
                raise ValueError(f"durations are between 0 and {LONGEST_S:.0f} seconds")
        if self.deadline_s == 0:
            raise ValueError("deadline_s is above 0")
        if not math.isfinite(self.timestamp_shift_s) or abs(self.timestamp_shift_s) > 1e9:
            raise ValueError("timestamp_shift_s is between -1e9 and 1e9 seconds")
        if self.attack is not None and self.attack not in ATTACKS:
            raise ValueError(f"attack is one of {', '.join(ATTACKS)}")
        if (self.attack == "altered_replay") != (self.replay_of is not None):
            raise ValueError("attack altered_replay and replay_of (a push's id) go together")
        if not 1 <= self.huge_bytes <= MOST_HUGE_BYTES:
            raise ValueError(f"huge_bytes is between 1 and {MOST_HUGE_BYTES}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A course without open questions."""

    tries: int
    deadline_s: float
    cadence_s: float
    keep_open_s: float
    at_once_after_error: bool
    malformed_retried: bool
    signs_anew: bool
    duplicates: int
    duplicate_after_s: float
    delay_s: float

    @classmethod
    def of(cls, course: PushCourse, rules: Parameters) -> Schedule:
        usual_tries = 1 if course.attack else rules.push_tries
        return cls(
            tries=course.tries or usual_tries,
            deadline_s=course.deadline_s or rules.push_deadline_s,
            cadence_s=rules.push_cadence_s if course.cadence_s is None else course.cadence_s,
            keep_open_s=course.keep_open_s,
            at_once_after_error=(course.error_retried or rules.push_error_retried) == "at_once",
            malformed_retried=rules.push_malformed_retried,
            signs_anew=rules.push_signs_anew if course.signs_anew is None else course.signs_anew,
            duplicates=course.duplicates,
            duplicate_after_s=course.duplicate_after_s,
            delay_s=course.delay_s,
        )

    @property
    def overlapping(self) -> bool:
        """True when a try may begin while another is open."""
        return self.cadence_s < self.deadline_s + self.keep_open_s
