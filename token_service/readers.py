"""Those who wait for a token or report a dead one. They look on; only a keeper's turn mints."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from token_service.served import Rejection, RejectionOutcome
from token_service.slot import Verdict
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from token_service.keeper import Keeper
    from token_service.served import Served
    from token_service.slot import Slot, TokenRecord

_REPLACEMENT_S = 12.0


class Readers:
    """How many may wait is for their callers to bound."""

    def __init__(self, wake: Callable[[Slot], None]) -> None:
        self._wake = wake
        self._probes: dict[Slot, asyncio.Future[Verdict | None]] = {}

    async def wait_for_token(
        self, keeper: Keeper, wait_s: float, now: Callable[[], float], min_ttl_s: float
    ) -> Served:
        """Wait until a token with `min_ttl_s` left is held. Raises NoLiveToken when time is up."""

        def enough() -> Served | None:
            served = keeper.holding.served()
            return served if served and served.expires_at - now() >= min_ttl_s else None

        return await self._until(keeper, enough, wait_s)

    async def reject(self, keeper: Keeper, version: str, *, evidence: bool) -> Rejection:
        """Judge a report of a dead token, and give the token to go on with."""
        record = await self._current(keeper, version)
        if record is None:
            served = await self._until(keeper, keeper.holding.served, _REPLACEMENT_S)
            return Rejection(RejectionOutcome.ALREADY_REPLACED, served)
        if keeper.holding.is_condemned(version):
            return await self._replacement(keeper, version)
        if evidence:
            await keeper.condemn(version)
            return await self._replacement(keeper, version)
        verdict = await self._probe_once(keeper, record)
        if verdict is Verdict.DEAD:
            return await self._replacement(keeper, version)
        served = await self._until(keeper, keeper.holding.served, _REPLACEMENT_S)
        return Rejection(_OUTCOMES[verdict], served)

    async def _current(self, keeper: Keeper, version: str) -> TokenRecord | None:
        """The record that the report means, if it is still the current one."""
        if keeper.holding.current_version() != version and not keeper.is_past(version):
            with suppress(StoreUnavailable):
                await keeper.look()
        return keeper.holding.record_of(version)

    async def _replacement(self, keeper: Keeper, version: str) -> Rejection:
        """Wait until another token is served, or this one turns out to live after all."""

        def other() -> Served | None:
            served = keeper.holding.served()
            if served is None or (
                served.version == version and keeper.holding.is_condemned(version)
            ):
                return None
            return served

        self._wake(keeper.plan.slot)
        served = await self._until(keeper, other, _REPLACEMENT_S)
        alive = served.version == version
        outcome = RejectionOutcome.CONFIRMED_VALID if alive else RejectionOutcome.REPLACED
        return Rejection(outcome, served)

    async def _probe_once(self, keeper: Keeper, record: TokenRecord) -> Verdict | None:
        """Reports that come while a probe is under way share it."""
        slot = keeper.plan.slot
        under_way = self._probes.get(slot)
        if under_way is not None:
            return await asyncio.shield(under_way)
        future: asyncio.Future[Verdict | None] = asyncio.get_running_loop().create_future()
        self._probes[slot] = future
        verdict: Verdict | None = Verdict.INCONCLUSIVE
        try:
            with suppress(StoreUnavailable):
                verdict = await keeper.probe(record, keeper.plan.policy.probe_window_s)
        finally:
            del self._probes[slot]
            future.set_result(verdict)
        return verdict

    async def _until(
        self, keeper: Keeper, found: Callable[[], Served | None], wait_s: float
    ) -> Served:
        """Wait for what is looked for, but not for what can't come in time."""
        served = found()
        if served is not None:
            return served
        self._wake(keeper.plan.slot)
        try:
            async with asyncio.timeout(wait_s) as limit:
                while (served := found()) is None:
                    if keeper.is_hopeless_for(_left_s(limit)):
                        raise keeper.why_not()
                    await keeper.changed()
        except TimeoutError:
            raise keeper.why_not() from None
        return served


def _left_s(limit: asyncio.Timeout) -> float:
    until = limit.when()
    return 0.0 if until is None else until - asyncio.get_running_loop().time()


_OUTCOMES = {
    Verdict.ALIVE: RejectionOutcome.CONFIRMED_VALID,
    Verdict.INCONCLUSIVE: RejectionOutcome.UNVERIFIED,
    None: RejectionOutcome.THROTTLED,
}
