"""Whether the store is there, by what became of the calls to it. Nothing is called here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from callback_gateway.observers import StoreObserver
    from zhongkong.runtime.clock import Clock

REST_S: Final = 1.0
"""After a failure, before the store is asked to accept again."""

log = get_logger()


class StoreWatch:
    """Three degrees: away (it hasn't accepted since a failure), resting, silent."""

    def __init__(self, clock: Clock, observer: StoreObserver | None) -> None:
        self._clock = clock
        self._observer = observer
        self._rest_until = 0.0
        self._reason = ""
        self.away = False
        self.silent = False
        """Since a failure nothing got an answer: only a probe may ask."""
        self._news = asyncio.Event()

    @property
    def resting(self) -> bool:
        """Whether it isn't asked to accept at this moment."""
        return self.silent or self._clock.monotonic() < self._rest_until

    def check(self) -> None:
        """Raise StoreUnavailable while it is silent."""
        if self.silent:
            raise StoreUnavailable(self._reason)

    def failed(self, trouble: BaseException) -> None:
        """A call failed."""
        self._reason = str(trouble) or "the store did not answer in time"
        self._rest_until = self._clock.monotonic() + REST_S
        self.silent = True
        self._news.set()
        if not self.away:
            self.away = True
            log.warning("store_away", reason=self._reason)
            if self._observer is not None:
                self._observer.store_away(away=True)

    def answered(self) -> None:
        """A probe got an answer."""
        self.silent = False

    def accepted(self) -> None:
        """It accepted, or has nothing to accept."""
        self.silent = False
        if self.away:
            self.away = False
            log.info("store_back")
            if self._observer is not None:
                self._observer.store_away(away=False)

    async def pause(self, seconds: float) -> None:
        """Wait, until a call fails at most: then a probe tells whether the store is silent."""
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
