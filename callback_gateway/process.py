"""What every part of this process shares: its name, time and chance, and the word of its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zhongkong.runtime.clock import Clock, Randomness


@dataclass(frozen=True, slots=True)
class Process:
    """One replica. `ending` is set at the moment when it is asked to stop."""

    owner: str
    """Names it in leases; another one after each start."""
    clock: Clock
    randomness: Randomness
    ending: asyncio.Event = field(default_factory=asyncio.Event)
