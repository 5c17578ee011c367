"""The token of one account and kind in a client: kept, followed in the background, reported.

Every request for it is shared by all who want it at that moment. What is asked for, and how long it
lives, is in `requests` and `held`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from token_service.client.errors import ServiceUnreachable, TokenServiceError, TokenUnavailable
from token_service.client.held import MARGIN_S, next_look_s

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from token_service.client.held import HeldToken
    from token_service.client.requests import Requests
    from zhongkong.runtime.clock import Clock, Randomness

    Spawn = Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]

_VERSIONS_KEPT: Final = 8
_UNUSED_LOOKS: Final = 5
"""After so many looks without a reader the token is left alone until it is wanted again."""
_HELD_WAIT_S: Final = 1.0
"""How long a reader waits for a newer token while one lives that nobody looked after lately."""
_PAUSE_S: Final = (0.5, 1.0)
_LONGEST_PAUSE_S: Final = 30.0

log = logging.getLogger("token_service.client")


class CurrentToken:
    """`withdraw` is called whenever the token that was given out may not be the one to give next.

    It is called at every look, too: the next reader then comes here again, and so shows that the
    token is in use. Tasks are started with `spawn`, whose owner ends them.
    """

    def __init__(
        self,
        requests: Requests,
        account: str,
        kind: str,
        *,
        clock: Clock,
        randomness: Randomness,
        spawn: Spawn,
        withdraw: Callable[[], None],
    ) -> None:
        self._requests = requests
        self._account = account
        self._kind = kind
        self._clock = clock
        self._randomness = randomness
        self._spawn = spawn
        self._withdraw = withdraw
        self._held: HeldToken | None = None
        self._given: str | None = None
        self._versions: dict[str, str] = {}
        self._unused = 0
        self._look: asyncio.Task[HeldToken] | None = None
        self._follower: asyncio.Task[None] | None = None
        self._reports: dict[str, asyncio.Task[HeldToken]] = {}
        self._refusal: TokenServiceError | None = None
        self._refused_until = 0.0

    async def get(self) -> HeldToken:
        """The live token. Raises TokenServiceError when none is held and none can be had."""
        held = self._live()
        if held is None or not self._followed():
            try:
                async with asyncio.timeout(None if held is None else _HELD_WAIT_S):
                    held = await self._looked()
            except (TokenServiceError, TimeoutError):
                held = self._live()
                if held is None:
                    raise
        return self._give(held)

    async def rejected(self, errcode: int, value: str | None, version: str | None) -> HeldToken:
        """As `TokenClient.rejected`."""
        bad = version or (self._given if value is None else self._versions.get(value))
        held = self._live()
        if bad is None:
            # Not one of those that were given out lately: whatever there is now is another one.
            return self._give(await self._looked())
        if held is not None and held.version != bad:
            return self._give(held)
        report = self._reports.get(bad)
        if report is None:
            report = self._reports[bad] = self._spawn(self._report(bad, errcode))
            report.add_done_callback(lambda _: self._reports.pop(bad, None))
        return self._give(await _shared(report))

    def _live(self) -> HeldToken | None:
        held = self._held
        return held if held is not None and self._left_s(held) > 0 else None

    def _left_s(self, held: HeldToken) -> float:
        return held.left_s(self._clock.now(), self._clock.monotonic())

    def _give(self, held: HeldToken) -> HeldToken:
        if not self._followed():
            self._follower = self._spawn(self._follow())
        self._unused = 0
        self._given = held.version
        return held

    def _take(self, found: HeldToken, dead: str | None = None) -> HeldToken:
        """Hold what was found, unless it comes from a replica that is behind."""
        current = self._live()
        if (
            current is not None
            and current.version not in {found.version, dead}
            and found.issued_at < current.issued_at
        ):
            return current
        self._held = found
        self._versions.pop(found.value, None)
        self._versions[found.value] = found.version
        if len(self._versions) > _VERSIONS_KEPT:
            del self._versions[next(iter(self._versions))]
        self._refused_until = 0.0
        self._withdraw()
        return found

    async def _looked(self) -> HeldToken:
        """Ask the service; all who want it now share one request."""
        if self._look is None or self._look.done():
            self._look = self._spawn(self._ask())
        return await _shared(self._look)

    async def _ask(self) -> HeldToken:
        left_s = self._refused_until - self._clock.monotonic()
        if self._refusal is not None and left_s > 0:
            raise self._refusal.later(left_s)
        held = self._live()
        # A token keeps its version when it is to end early, so only in the margin, where nothing
        # but another token is of use, is "unchanged" answer enough.
        in_margin = held is not None and self._left_s(held) <= MARGIN_S
        try:
            found = await self._requests.token(
                self._account, self._kind, held.version if held and in_margin else None
            )
        except TokenServiceError as refusal:
            self._postpone(refusal)
            raise
        if found is None:
            held = self._live()
            if held is None:
                raise ServiceUnreachable("the token ended while it was asked after")
            return held
        return self._take(found)

    async def _report(self, version: str, errcode: int) -> HeldToken:
        try:
            found = await self._requests.report(self._account, self._kind, version, errcode)
        except TokenUnavailable as refusal:
            # The service doesn't vouch for it either; without its word a report is only a claim.
            if self._held is not None and self._held.version == version:
                self._held = None
                self._withdraw()
            self._postpone(refusal)
            raise
        return self._take(found, dead=version)

    def _postpone(self, refusal: TokenServiceError) -> None:
        """Nobody here asks again before the service wants to be asked."""
        pause_s = min(refusal.retry_after_s, _LONGEST_PAUSE_S)
        pause_s = max(pause_s, self._randomness.uniform(*_PAUSE_S))
        self._refusal = refusal
        self._refused_until = self._clock.monotonic() + pause_s

    def _followed(self) -> bool:
        return self._follower is not None and not self._follower.done()

    async def _follow(self) -> None:
        """Keep the token fresh while it is used, and withdraw it at its end by the monotonic clock.

        Ends with it, and is begun again by a reader.
        """
        failing = False
        try:
            while (held := self._live()) is not None and self._unused < _UNUSED_LOOKS:
                left_s = self._left_s(held)
                pause_s = next_look_s(left_s, self._randomness.uniform(0, 1))
                await self._clock.sleep(min(max(pause_s, self._refused_for_s()), left_s))
                self._unused += 1
                self._withdraw()
                try:
                    await self._looked()
                except TokenServiceError as refusal:
                    if not failing:
                        log.warning("%s: the token held is given until its end", refusal)
                    failing = True
                else:
                    failing = False
        finally:
            self._withdraw()

    def _refused_for_s(self) -> float:
        return self._refused_until - self._clock.monotonic()


async def _shared(task: asyncio.Task[HeldToken]) -> HeldToken:
    """Wait for what others may wait for, too: giving up waiting doesn't end it."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        waiter = asyncio.current_task()
        if task.cancelled() and waiter is not None and not waiter.cancelling():
            raise ServiceUnreachable("the client was closed meanwhile") from None
        raise
