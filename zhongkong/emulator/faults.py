"""Which misfortune strikes which request: plain values, drawn from the seed.

Nothing is carried out here. The HTTP face and the simulation ask for a `Course` when a request
arrives, wait as it says, let the model perform it, and end it as it says.
"""

from __future__ import annotations

import fnmatch
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

if TYPE_CHECKING:
    from zhongkong.emulator.chance import Chance

FaultKind = Literal["latency", "errcode", "disconnect", "garbage", "token_death", "foreign_refresh"]
GarbageForm = Literal["html_502", "empty", "truncated", "bad_bytes", "not_json", "cut_midway"]
ForeignKind = Literal["classic", "stable", "stable_forced"]

_P99: Final = 2.326  # of the standard normal distribution
_FAULTS_AT_MOST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """How long a latency fault holds a request, in seconds.

    fixed      always `low_s`
    uniform    between `low_s` and `high_s`
    wild       log-normal with median `low_s` and 99th percentile `high_s`, and with probability
               `stall_probability` a stall of `stall_s`
    """

    shape: Literal["fixed", "uniform", "wild"] = "fixed"
    low_s: float = 0.06
    high_s: float = 1.0
    stall_s: float = 10.0
    stall_probability: float = 0.0

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        times = (self.low_s, self.high_s, self.stall_s)
        if not all(0 <= each <= 3600 for each in times):
            raise ValueError("low_s, high_s and stall_s are between 0 and 3600 seconds")
        if self.shape != "fixed" and not self.low_s <= self.high_s:
            raise ValueError("low_s is at most high_s")
        if self.shape == "wild" and self.low_s == 0:
            raise ValueError("the median low_s of a wild delay is above 0")

    def draw(self, chance: Chance) -> float:
        if self.shape == "fixed":
            return self.low_s
        if self.shape == "uniform":
            return chance.uniform(self.low_s, self.high_s)
        if chance.happens(self.stall_probability):
            return self.stall_s
        spread = math.log(self.high_s / self.low_s) / _P99
        return self.low_s * math.exp(spread * chance.normal())


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A misfortune and whom it may strike. `path`, `appid` and `peer` are globs.

    when         `before` the request takes effect or `after` it did. For errcode, disconnect and
                 garbage, `before` means that it never takes effect
    probability  that it strikes a request that matches
    count        it ends after so many strikes; None = it stays until removed
    errcode      and errmsg of an injected refusal (None: WeChat's usual text)
    garbage      what an answer turns into
    foreign      what a foreign refresh calls; a token_death ends the family of that name
    """

    kind: FaultKind
    path: str = "*"
    appid: str = "*"
    peer: str = "*"
    when: Literal["before", "after"] = "before"
    probability: float = 1.0
    count: int | None = None
    errcode: int = -1
    errmsg: str | None = None
    delay: Delay = field(default_factory=Delay)
    garbage: GarbageForm = "html_502"
    foreign: ForeignKind = "classic"

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError("probability is between 0 and 1")
        if self.count is not None and self.count < 1:
            raise ValueError("count is at least 1; leave it out for a fault without end")

    def matches(self, path: str, appid: str | None, peer: str) -> bool:
        return (
            fnmatch.fnmatchcase(path, self.path)
            and fnmatch.fnmatchcase(appid or "", self.appid)
            and fnmatch.fnmatchcase(peer, self.peer)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is to happen to one request, in this order.

    delay_before_s, the happenings before, the effect (unless `takes_effect` is False), the
    happenings after, delay_after_s, the ending. `refusal` stands in place of the true answer.
    """

    delay_before_s: float = 0
    delay_after_s: float = 0
    before: tuple[Fault, ...] = ()
    after: tuple[Fault, ...] = ()
    takes_effect: bool = True
    refusal: Fault | None = None
    ending: Literal["answer", "disconnect"] | GarbageForm = "answer"
    struck_by: tuple[str, ...] = ()


UNTROUBLED: Final = Course()


@dataclass(slots=True)
class FaultPlan:
    """The faults in force, by id, in the order in which they were added."""

    active: dict[str, Fault] = field(default_factory=dict)
    strikes: dict[str, int] = field(default_factory=dict)
    _added: int = 0

    def add(self, fault: Fault) -> str:
        """Put it in force; returns its id. Raises ValueError when there are too many."""
        if len(self.active) >= _FAULTS_AT_MOST:
            raise ValueError(f"{_FAULTS_AT_MOST} faults are in force already; remove some")
        self._added += 1
        fault_id = f"f{self._added}"
        self.active[fault_id] = fault
        self.strikes[fault_id] = 0
        return fault_id

    def remove(self, fault_id: str) -> bool:
        """False when no such fault is in force."""
        self.strikes.pop(fault_id, None)
        return self.active.pop(fault_id, None) is not None

    def clear(self) -> None:
        self.active.clear()
        self.strikes.clear()

    def draw(self, path: str, appid: str | None, peer: str, chance: Chance) -> Course:
        """Decide, and count the strikes of limited faults."""
        if not self.active:
            return UNTROUBLED
        course = UNTROUBLED
        for fault_id, fault in list(self.active.items()):
            if not fault.matches(path, appid, peer) or not chance.happens(fault.probability):
                continue
            course = _struck(course, fault, chance)
            self._count(fault_id, fault)
        return course

    def _count(self, fault_id: str, fault: Fault) -> None:
        self.strikes[fault_id] += 1
        if fault.count is not None and self.strikes[fault_id] >= fault.count:
            self.remove(fault_id)


def _struck(course: Course, fault: Fault, chance: Chance) -> Course:
    course = replace(course, struck_by=(*course.struck_by, f"{fault.kind} {fault.when}"))
    early = fault.when == "before"
    match fault.kind:
        case "latency":
            delay = fault.delay.draw(chance)
            if early:
                return replace(course, delay_before_s=course.delay_before_s + delay)
            return replace(course, delay_after_s=course.delay_after_s + delay)
        case "token_death" | "foreign_refresh":
            if early:
                return replace(course, before=(*course.before, fault))
            return replace(course, after=(*course.after, fault))
        case "errcode":
            refusal = course.refusal or fault
            return replace(course, refusal=refusal, takes_effect=course.takes_effect and not early)
        case "disconnect" | "garbage":
            ending = "disconnect" if fault.kind == "disconnect" else fault.garbage
            if course.ending == "disconnect":
                ending = "disconnect"
            return replace(course, ending=ending, takes_effect=course.takes_effect and not early)
