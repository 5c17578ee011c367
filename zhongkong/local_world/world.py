"""The life of the local world: parts start in turn, are watched, and end in reverse."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from zhongkong.local_world import folder as folders, plan, ports
from zhongkong.local_world.processes import Household
from zhongkong.local_world.screen import Screen
from zhongkong.local_world.welcome import welcome
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from pathlib import Path

    from zhongkong.local_world.plan import Part
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.lifecycle import Stop

GRACE_S: Final = 8.0
ECHO_S: Final = 1.0
"""One Ctrl-C comes from the terminal and again from make; a real second one ends all at once."""

READY_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.05
_ANSWER_WITHIN_S: Final = 1.0


async def live(
    base: int, folder: Path, stop: Stop, *, clock: Clock, randomness: Randomness
) -> None:
    """Run the world until a stop is requested. Raises CannotStart, also when a part ends."""
    with folders.claimed(folder, ports.advice(base)):
        ports.require_free(base)
        folders.prepare(folder, base, randomness)
        parts = plan.parts(base, str(folder))
        screen = Screen.standard_output([part.name for part in parts], os.environ)
        stop.on_request(lambda: screen.tell("Stopping the local world …"))
        try:
            async with Household(screen, os.environ) as household:
                if await _start(household, parts, stop, clock):
                    screen.tell(welcome(base, folder, sys.executable))
                    await _watch(household, stop)
        finally:
            await asyncio.to_thread(screen.close)


async def _start(household: Household, parts: tuple[Part, ...], stop: Stop, clock: Clock) -> bool:
    """True when every part is ready; False when a stop was requested before."""
    async with ClientSession(timeout=ClientTimeout(_ANSWER_WITHIN_S)) as session:
        for part in parts:
            await household.start(part)
            deadline = clock.monotonic() + READY_WITHIN_S
            while not await _is_ready(session, part):
                household.require_all()
                if clock.monotonic() >= deadline:
                    raise CannotStart(
                        f"{part.name} isn't ready after {READY_WITHIN_S:.0f} s: "
                        f"{part.ready_url} doesn't answer 200; its lines stand above"
                    )
                if await stop.wait(_LOOK_EVERY_S):
                    return False
    return not stop.requested


async def _is_ready(session: ClientSession, part: Part) -> bool:
    try:
        async with session.get(part.ready_url) as response:
            return response.status == 200
    except (ClientError, TimeoutError):
        return False


async def _watch(household: Household, stop: Stop) -> None:
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await household.watch(stopped)
    finally:
        stopped.cancel()
