"""What the parts of delivery share. Wired by the dispatcher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from callback_gateway.delivery.attempts import Attempts
    from callback_gateway.delivery.leases import Leases
    from callback_gateway.delivery.reports import Reports
    from callback_gateway.delivery.settling import Settler
    from callback_gateway.delivery.work import Work
    from callback_gateway.inbox.base import Inbox
    from callback_gateway.targets import Target
    from zhongkong.runtime.clock import Clock, Randomness


@dataclass(frozen=True, slots=True)
class Parts:
    """`targets` gives those in force; `schedule` the waits between attempts, in seconds."""

    inbox: Inbox
    owner: str
    targets: Callable[[], Mapping[str, Target]]
    schedule: Sequence[float]
    clock: Clock
    randomness: Randomness
    leases: Leases
    settler: Settler
    attempts: Attempts
    reports: Reports
    work: Work
