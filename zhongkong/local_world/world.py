"""The life of the local world: its folder is claimed, its parts start, are watched, and end."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Final

from zhongkong.local_world import folder as folders, plan, ports
from zhongkong.local_world.processes import Household
from zhongkong.local_world.screen import Screen
from zhongkong.local_world.start import Start
from zhongkong.local_world.welcome import Facts, welcome

if TYPE_CHECKING:
    from pathlib import Path

    from zhongkong.local_world.plan import RealWeChat
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.lifecycle import Stop

GRACE_S: Final = 8.0
ECHO_S: Final = 1.0
"""One Ctrl-C comes from the terminal and again from make; a real second one ends all at once."""


async def live(
    base: int,
    folder: Path,
    stop: Stop,
    *,
    clock: Clock,
    randomness: Randomness,
    real: RealWeChat | None = None,
) -> None:
    """Run the world until a stop is requested. Raises CannotStart, also when a part ends.

    `real`: the account on the real WeChat; None for an emulated one.
    """
    with folders.claimed(folder, ports.advice(base)):
        ports.require_free(base, emulated=real is None)
        menu = folders.prepare(folder, base, randomness, real)
        parts = plan.parts(base, str(folder), real, has_menu=menu is not None)
        screen = Screen.standard_output([part.name for part in parts], os.environ)
        stop.on_request(lambda: screen.tell("Stopping the local world …"))
        try:
            async with Household(screen, os.environ) as household:
                start = Start(household, parts, stop, clock)
                if await start.run():
                    trouble = start.lagging.get(plan.MENU_WORKER)
                    facts = Facts(base, folder, sys.executable, real, menu, trouble)
                    screen.tell(welcome(facts))
                    await _watch(household, stop)
        finally:
            await asyncio.to_thread(screen.close)


async def _watch(household: Household, stop: Stop) -> None:
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await household.watch(stopped)
    finally:
        stopped.cancel()
