"""The stage's store is copied to another one, on which whoever starts afterwards runs."""

from __future__ import annotations

from tests.simulation.chance import SeededRandomness
from tests.simulation.loop import SkewedClock
from tests.token_service.scenarios.stage import Stage
from token_service.stores.copy_hold import End
from token_service.stores.copying import Copied, StoreCopy
from token_service.stores.memory import MemoryTokenStore

FLIGHTS_S = 25.0


async def moved(stage: Stage, *, flights_s: float = FLIGHTS_S) -> Copied:
    """Copy the store; who starts from now on uses the new one."""
    old, new = stage.store, MemoryTokenStore(SkewedClock(), SeededRandomness("new"))
    copied = await StoreCopy(
        End(old, "the old one"),
        End(new, "the new one"),
        name="copy-1",
        flights_s=flights_s,
        clock=SkewedClock(),
    ).run()
    stage.store = new
    return copied
