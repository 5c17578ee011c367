"""Asking WeChat whether a token lives: one cheap call, shared by all who want to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.slot import Verdict
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from token_service.environment import Environment
    from token_service.holding import Holding
    from token_service.slot import TokenRecord

log = get_logger()


class Prober:
    """Keeps the probes of one slot apart: through the store, or alone while the store is away."""

    def __init__(self, holding: Holding, environment: Environment) -> None:
        self._holding = holding
        self._environment = environment
        self._last: tuple[str, float, Verdict] | None = None

    async def probe(self, record: TokenRecord, window_s: float) -> Verdict | None:
        """Probe a token, once in `window_s` over all replicas; None: another is at it.

        Raises StoreUnavailable when the store went away meanwhile; a death is known here all the
        same.
        """
        slot, store = self._holding.plan.slot, self._environment.store
        try:
            probe, granted = await store.claim_probe(slot, record.version, window_s=window_s)
        except StoreUnavailable:
            return self._asked_lately(record, window_s) or await self._ask(record)
        if not granted:
            return probe.verdict
        verdict = await self._ask(record)
        await store.settle_probe(slot, probe, verdict)
        return verdict

    async def _ask(self, record: TokenRecord) -> Verdict:
        plan = self._holding.plan
        verdict = await self._environment.upstream.probe(plan, record.value)
        self._last = (record.version, self._environment.clock.monotonic(), verdict)
        self._environment.observer.probe_finished(plan.name, verdict)
        log.info("token_probed", account=plan.name, version=record.version, verdict=verdict)
        if verdict is Verdict.DEAD:
            self._holding.bury(record.version)
        return verdict

    def _asked_lately(self, record: TokenRecord, window_s: float) -> Verdict | None:
        if self._last is None:
            return None
        version, at, verdict = self._last
        fresh = self._environment.clock.monotonic() - at < window_s
        return verdict if fresh and version == record.version else None
