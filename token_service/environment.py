"""What all slots of one replica work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from token_service.flight import Upstream
    from token_service.holding import StoreClock, StoreHealth
    from token_service.observer import Observer
    from token_service.stores.base import TokenStore
    from zhongkong.runtime.clock import Clock, Randomness


@dataclass(frozen=True, slots=True)
class Environment:
    """`replica` names this process among those that share the store, and holds its leases."""

    replica: str
    store: TokenStore
    upstream: Upstream
    clock: Clock
    store_clock: StoreClock
    health: StoreHealth
    randomness: Randomness
    observer: Observer
