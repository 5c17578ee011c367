"""A menu store in this process alone: for tests, and for commands that keep nothing."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from menu_worker.store.base import (
    CLAIMS_KEPT,
    DRIFTS_KEPT,
    REVISIONS_KEPT,
    Claim,
    Drift,
    Lease,
    Outcome,
    Revision,
    Standing,
    Verified,
)
from zhongkong.wechat.limits import day_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zhongkong.runtime.clock import Clock


@dataclass(slots=True)
class _Account:
    claims: dict[str, Claim] = field(default_factory=dict)
    lease: Lease | None = None
    lease_until: float = 0.0
    fence: int = 0
    last_revision: int = 0
    revisions: deque[Revision] = field(default_factory=lambda: deque(maxlen=REVISIONS_KEPT))
    verified: Verified | None = None
    day: str = ""
    spent: dict[str, int] = field(default_factory=dict)
    drifts: deque[Drift] = field(default_factory=lambda: deque(maxlen=DRIFTS_KEPT))
    paused_by: str | None = None


class MemoryMenuStore:
    """Every method is one step of the loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts: defaultdict[str, _Account] = defaultdict(_Account)

    async def claim(self, account: str, instance: str, fingerprint: str) -> Standing:
        kept = self._accounts[account].claims
        before = kept.get(instance)
        if before is None or before.fingerprint != fingerprint:
            kept[instance] = Claim(instance, fingerprint, self._clock.now())
        while len(kept) > CLAIMS_KEPT:
            oldest = min(kept.values(), key=lambda claim: (claim.claimed_at, claim.instance))
            del kept[oldest.instance]
        return await self.standing(account)

    async def standing(self, account: str) -> Standing:
        claims = sorted(self._accounts[account].claims.values(), key=lambda each: each.instance)
        return Standing(tuple(claims), self._clock.now())

    async def acquire(self, account: str, instance: str, ttl_s: float) -> Lease | None:
        state, now = self._accounts[account], self._clock.now()
        if state.lease is not None and now < state.lease_until:
            if state.lease.instance != instance:
                return None
        else:
            state.fence += 1
            state.lease = Lease(account, instance, state.fence)
        state.lease_until = now + ttl_s
        return state.lease

    async def holds(self, lease: Lease, ttl_s: float) -> bool:
        state, now = self._accounts[lease.account], self._clock.now()
        if state.lease != lease or now >= state.lease_until:
            return False
        state.lease_until = now + ttl_s
        return True

    async def release(self, lease: Lease) -> None:
        state = self._accounts[lease.account]
        if state.lease == lease:
            state.lease = None

    async def begin(
        self,
        account: str,
        *,
        actor: str,
        reason: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        fingerprint: str,
    ) -> int:
        state = self._accounts[account]
        state.last_revision += 1
        state.revisions.append(
            Revision(
                state.last_revision,
                account,
                self._clock.now(),
                actor,
                reason,
                before,
                after,
                fingerprint,
            )
        )
        return state.last_revision

    async def finish(self, account: str, revision: int, outcome: Outcome, detail: str = "") -> None:
        kept = self._accounts[account].revisions
        for place, each in enumerate(kept):
            if each.id == revision:
                kept[place] = replace(each, outcome=outcome, detail=detail)

    async def history(self, account: str, *, limit: int = 50) -> Sequence[Revision]:
        return list(reversed(self._accounts[account].revisions))[:limit]

    async def revision(self, account: str, revision: int) -> Revision | None:
        found = (each for each in self._accounts[account].revisions if each.id == revision)
        return next(found, None)

    async def set_verified(self, account: str, fingerprint: str, menu: Mapping[str, Any]) -> None:
        self._accounts[account].verified = Verified(fingerprint, menu, self._clock.now())

    async def verified(self, account: str) -> Verified | None:
        return self._accounts[account].verified

    async def spend(self, account: str, call: str, limit: int) -> bool:
        spent = self._spent(account)
        if spent.get(call, 0) >= limit:
            return False
        spent[call] = spent.get(call, 0) + 1
        return True

    async def spent(self, account: str) -> Mapping[str, int]:
        return dict(self._spent(account))

    async def record_drift(self, account: str, fingerprint: str) -> None:
        self._accounts[account].drifts.append(Drift(self._clock.now(), fingerprint))

    async def drifts(self, account: str) -> tuple[Sequence[Drift], float]:
        return tuple(self._accounts[account].drifts), self._clock.now()

    async def pause(self, account: str, *, paused: bool, by: str) -> None:
        self._accounts[account].paused_by = by if paused else None

    async def paused(self, account: str) -> str | None:
        return self._accounts[account].paused_by

    async def close(self) -> None:
        """Nothing is open."""

    def _spent(self, account: str) -> dict[str, int]:
        state, today = self._accounts[account], day_of(self._clock.now())
        if state.day != today:
            state.day, state.spent = today, {}
        return state.spent
