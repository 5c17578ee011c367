"""How full the inbox is, asked now and then, so that neither a scrape nor a page waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import Depth
    from zhongkong.runtime.clock import Clock

LOOK_EVERY_S: Final = 5.0
_TIMEOUT_S: Final = 4.0

log = get_logger()


class DepthWatch:
    """What was seen last. `run` has to be run by somebody."""

    def __init__(
        self, inbox: Inbox, clock: Clock, *, spool: Callable[[], Awaitable[int]] | None = None
    ) -> None:
        """`spool` tells how many callbacks wait in the local spool, where there is one."""
        self._inbox = inbox
        self._clock = clock
        self._spool = spool
        self.depth: Depth | None = None
        """None before the first look, and while the inbox can't be asked."""
        self.disabled: Mapping[str, str] = {}
        """Targets that asked for no more, with the fingerprint of the time."""
        self.spooled: int | None = None if spool is None else 0
        """None without a spool."""

    async def run(self) -> None:
        """Look once in every interval, until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once. Doesn't raise when the store is away."""
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                self.depth = await self._inbox.depth()
                self.disabled = await self._inbox.disabled()
        except (StoreUnavailable, TimeoutError) as trouble:
            self.depth = None
            log.debug("inbox_depth_unknown", why=str(trouble) or type(trouble).__name__)
        await self._look_at_spool()

    async def _look_at_spool(self) -> None:
        if self._spool is None:
            return
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                self.spooled = await self._spool()
        except (StoreUnavailable, TimeoutError) as trouble:
            log.warning("spool_depth_unknown", why=str(trouble) or type(trouble).__name__)
