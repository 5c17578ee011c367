"""The life of the local world: its folder is claimed, its parts start, are watched, and end."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Final

from zhongkong.local_world import folder as folders, plan, ports
from zhongkong.local_world.first_token import token_trouble
from zhongkong.local_world.processes import Household
from zhongkong.local_world.screen import Screen
from zhongkong.local_world.start import Start
from zhongkong.local_world.welcome import Facts, welcome
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from pathlib import Path

    from zhongkong.local_world.plan import RealWeChat
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.lifecycle import Stop

GRACE_S: Final = 8.0
ECHO_S: Final = 1.0
"""One Ctrl-C comes from the terminal and again from make; a real second one ends all at once."""

_LOOK_EVERY_S: Final = 1.0


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
    is_named = folder != folders.default(base, emulated=real is None)
    with folders.claimed(folder, ports.advice(base, elsewhere=is_named)):
        ports.require_free(base, emulated=real is None)
        menu = folders.prepare(folder, base, randomness, real)
        parts = plan.parts(base, str(folder), real, has_menu=menu is not None)
        screen = Screen.standard_output([part.name for part in parts], os.environ)
        stop.on_request(lambda: screen.tell("Stopping the local world …"))
        try:
            async with Household(screen, os.environ) as household:
                start = Start(household, parts, stop, clock)
                if await start.run():
                    facts = Facts(
                        base,
                        folder,
                        sys.executable,
                        real,
                        menu,
                        menu_trouble=start.lagging.get(plan.MENU_WORKER),
                        token_trouble=await _token_trouble(base, folder, stop) if real else None,
                    )
                    if not stop.requested:
                        screen.tell(welcome(facts))
                    screen.settings_are_yours()
                    await _watch(household, screen, stop)
        finally:
            await asyncio.to_thread(screen.close)


async def _token_trouble(base: int, folder: Path, stop: Stop) -> str | None:
    """Why the real WeChat gives no token; not waited for once a stop is requested."""
    asked = asyncio.ensure_future(token_trouble(base, folder))
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({asked, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return asked.result() if asked.done() else None
    finally:
        asked.cancel()
        stopped.cancel()


async def _watch(household: Household, screen: Screen, stop: Stop) -> None:
    ended = asyncio.ensure_future(_stopped(screen, stop))
    try:
        await household.watch(ended)
        ended.result()
    finally:
        ended.cancel()


async def _stopped(screen: Screen, stop: Stop) -> bool:
    """Until a stop is requested. Raises CannotStart when nobody reads any more, as after `head`."""
    while not await stop.wait(_LOOK_EVERY_S):
        if not screen.is_read():
            raise CannotStart(
                "what reads the local world's lines has ended, so the world has been stopped; "
                "to let it run unread, send them to a file: zhongkong up > FILE"
            )
    return True
