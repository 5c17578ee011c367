"""PURE: how one pass over one account can end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from menu_worker.drift import Correction, Source
    from menu_worker.guards import Refused
    from menu_worker.steps import Plan
    from menu_worker.store.base import Claim


class Reason(StrEnum):
    """What a pass is made for."""

    STARTED = "started"
    CHANGED = "changed"
    INTERVAL = "interval"
    REQUESTED = "requested"
    """A person, or a rollout, asks for it: no backoff holds it up."""


@dataclass(frozen=True, slots=True)
class InSync:
    """Live equals desired. `newly`: that wasn't known before."""

    newly: bool
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Applied:
    """Written, read back and verified. `corrected`: the drift that it undid."""

    plan: Plan
    revision: int
    is_open: bool = True
    corrected: Drifted | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guard refused the plan."""

    plan: Plan
    refused: Refused


@dataclass(frozen=True, slots=True)
class Drifted:
    """Somebody changed the verified menu, and it is not corrected now."""

    plan: Plan
    source: Source
    correction: Correction


@dataclass(frozen=True, slots=True)
class StoodDown:
    """Another worker took a different menu up later."""

    winner: Claim


@dataclass(frozen=True, slots=True)
class Paused:
    """Writing is switched off; `pending` tells whether there is something to write."""

    by: str
    pending: bool


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker is writing at this moment."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be done. `restored`: what was live before is live again.

    `resumes`: the next pass goes on by itself; else it waits for a person or for time.
    """

    detail: str
    restored: bool = False
    resumes: bool = True


@dataclass(frozen=True, slots=True)
class Unavailable:
    """WeChat, the token service or the store can't be asked, or no call is left for today."""

    detail: str


@dataclass(frozen=True, slots=True)
class Untouched:
    """The desired file can't be used, so nothing is written.

    `matches`: whether live equals the last desired menu that could be used; None: not known.
    """

    detail: str
    matches: bool | None = None


Result = (
    InSync
    | Applied
    | Guarded
    | Drifted
    | StoodDown
    | Paused
    | Busy
    | Failed
    | Unavailable
    | Untouched
)


def is_good(result: Result) -> bool:
    """Whether the account's menu is the desired one now."""
    return isinstance(result, InSync | Applied)
