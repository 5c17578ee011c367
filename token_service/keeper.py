"""One slot on one replica: look at the store, decide, act; and what its readers wait for."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from token_service.alarms import frozen, no_live_token
from token_service.alone import Alone
from token_service.budget import spend
from token_service.flight import Landed, Pilot, Unsaid, withdrawn
from token_service.freeze import stands
from token_service.holding import Holding
from token_service.obstacles import Reason
from token_service.outcome import Unsent, detail_of
from token_service.policy import Replica
from token_service.prober import Prober
from token_service.rotation import Action, Ask, Fetch, Restore, Wait, decide, decide_rotation
from token_service.served import NoLiveToken, TooSoon
from token_service.slot import (
    Budget,
    Failure,
    FailureKind,
    LeaseLost,
    Snapshot,
    TokenRecord,
    Verdict,
)
from token_service.stores.codec import UnreadableRecord
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from token_service.environment import Environment
    from token_service.plan import AccountPlan
    from token_service.policy import Policy
    from token_service.served import Served
    from token_service.slot import SlotState

    Judge = Callable[[SlotState, Replica, float, Policy], Action]

log = get_logger()

_STEPS_A_TURN = 12
_BREATHER_S = 1.0
_LOOK_AGAIN_S = 300.0
_FROZEN_LOOK_S = 2.0
"""A slot of which a frozen store keeps nothing yet is not among the changes when it is thawed."""
_OLD_VERSIONS_KEPT = 8
_HOPELESS = frozenset({Reason.OPERATOR, Reason.QUOTA, Reason.BUDGET_SPENT, Reason.STORE_FROZEN})


class Keeper:
    """Keeps one slot's token alive. One turn at a time; readers never wait for a turn."""

    def __init__(self, plan: AccountPlan, environment: Environment) -> None:
        self.plan = plan
        self.holding = Holding(plan, environment)
        self.waiting: Wait | None = None
        self.had_outcome = False
        self.last_failure: Failure | None = None
        self._environment = environment
        self._store = environment.store
        self._store_clock = environment.store_clock
        self._pilot = Pilot(plan, environment)
        self._alone = Alone(self.holding, environment)
        self._prober = Prober(self.holding, environment)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._unsaid: Unsaid | None = None
        self._spent = Budget()
        self._credential_refused = ("", 0.0)
        self._past: deque[str] = deque(maxlen=_OLD_VERSIONS_KEPT)
        self._looks = self._newest_look = 0

    @property
    def state(self) -> SlotState | None:
        """The slot as last read."""
        return self.holding.state

    def me(self) -> Replica:
        """What only this replica knows of the slot."""
        credential = self.plan.credential()
        refused, until = self._credential_refused
        return Replica(
            name=self._environment.replica,
            credential=credential,
            held=self.holding.record(self._store_clock.now()),
            held_intents=self.holding.lost_intents(),
            spent=self._spent,
            credential_refused_until=until if refused == credential else 0.0,
        )

    async def turn(self) -> float:
        """Do all that is due. Returns the seconds until the next turn."""
        async with self._turn:
            for _ in range(_STEPS_A_TURN):
                try:
                    wait_s = await self._step()
                except UnreadableRecord as problem:
                    self._tell_unreadable(problem)
                    return await self._turn_alone()
                except StoreUnavailable as problem:
                    self._environment.health.lost(problem)
                    return await self._turn_alone()
                except LeaseLost:
                    log.warning("lease_lost", account=self.plan.name)
                    wait_s = None
                if wait_s is not None:
                    return min(max(wait_s, 0.0), _LOOK_AGAIN_S)
        return _BREATHER_S

    async def rotate(self) -> Served:
        """Replace the token on a person's word. Raises TooSoon, NoLiveToken, StoreUnavailable."""
        while True:
            async with self._turn:
                await self._tell_unsaid()
                snapshot = await self.look()
                action = decide_rotation(snapshot.state, self.me(), snapshot.now, self.plan.policy)
                if isinstance(action, Fetch):
                    landed = await self._fetch(decide_rotation)
                    if landed is not None:
                        return self._rotated(landed)
                    continue
            if action.reason is Reason.STORE_FROZEN:
                raise frozen("There is no new token", snapshot.state)
            if action.reason in {Reason.FORCED_TOO_SOON, Reason.BUDGET_SPENT}:
                raise TooSoon(_LIMITS[action.reason], retry_after_s=action.until - snapshot.now)
            with suppress(TimeoutError):
                async with asyncio.timeout(_BREATHER_S):
                    await self.changed()

    async def look(self) -> Snapshot:
        """Read the slot. Raises StoreUnavailable."""
        asked_at, look = self._store_clock.reading(), self._begin_look()
        snapshot = await self._store.snapshot(self.plan.slot)
        before = self.holding.served()
        self._store_clock.observe(snapshot.now, asked_at)
        self._absorb(snapshot, look)
        if before is not self.holding.served():
            self._announce()  # the store's time alone may bring a token back, or end it
        return snapshot

    async def probe(self, record: TokenRecord, window_s: float) -> Verdict | None:
        """As `Prober.probe`; readers hear of a death at once."""
        try:
            return await self._prober.probe(record, window_s)
        finally:
            self._announce()

    async def changed(self) -> None:
        """Wait until what is served, or known of it, changes."""
        await self._changed.wait()

    async def condemn(self, version: str) -> None:
        """WeChat itself refused the token on a call of ours. It is not handed out any more."""
        self.holding.bury(version)
        try:
            await self._store.condemn(self.plan.slot, version)
        except StoreUnavailable as problem:
            self._environment.health.lost(problem)

    def replan(self, plan: AccountPlan) -> None:
        """Take over changed limits, name or secret of the same slot."""
        self.plan = self._pilot.plan = self.holding.plan = plan

    def is_past(self, version: str) -> bool:
        """Whether this version was current once, as far as this replica remembers."""
        return version in self._past

    def is_hopeless_for(self, wait_s: float) -> bool:
        """Whether nothing will be tried within `wait_s`: a person or a new day must come."""
        waiting = self.waiting
        if waiting is None or waiting.reason not in _HOPELESS:
            return False
        return waiting.until - self._store_clock.now() > wait_s

    def credential_changed(self) -> None:
        """Another secret: what was refused with the old one says nothing any more."""
        self.waiting = None

    def why_not(self) -> NoLiveToken:
        """Why there is no live token, for a reader who can't wait any longer."""
        now = self._store_clock.now()
        return no_live_token(self.state, self.waiting, self.last_failure, now)

    async def _step(self) -> float | None:
        """One look and one action; None when another look should follow at once."""
        await self._tell_unsaid()
        snapshot = await self.look()
        self.last_failure = None  # another replica may have seen the end of it: the store knows
        self._alone.over()
        if self.holding.must_tell_death(snapshot.state) and self.holding.dead_version:
            await self._store.condemn(self.plan.slot, self.holding.dead_version)
            return None
        action = decide(snapshot.state, self.me(), snapshot.now, self.plan.policy)
        return await self._act(action, snapshot)

    async def _tell_unsaid(self) -> None:
        if self._unsaid is not None:
            stored = await self._pilot.tell(self._unsaid)
            self._unsaid = None
            if not stored:
                self.holding.drop()

    async def _act(self, action: Action, snapshot: Snapshot) -> float | None:
        self._now_waits_for(action if isinstance(action, Wait) else None)
        match action:
            case Wait(until):
                self.had_outcome = self.had_outcome or action.reason is not None
                untold = action.reason is Reason.STORE_FROZEN and snapshot.state.record is None
                return min(until - snapshot.now, _FROZEN_LOOK_S if untold else _LOOK_AGAIN_S)
            case Fetch():
                await self._fetch(decide)
            case Ask(record, window_s):
                verdict = await self.probe(record, window_s)
                if verdict is None or verdict is Verdict.INCONCLUSIVE:
                    return _BREATHER_S
            case Restore(record):
                restored = await self._store.restore(
                    self.plan.slot, record, self.holding.lost_intents()
                )
                log.warning("token_restored", account=self.plan.name, accepted=restored)
        return None

    def _now_waits_for(self, wait: Wait | None) -> None:
        before, self.waiting = self.waiting, wait
        if wait is not None and (before is None or before.reason != wait.reason):
            self._announce()

    async def _fetch(self, judge: Judge) -> Landed | None:
        """Fly under a lease, if what the grant saw still calls for it."""
        slot, policy, look = self.plan.slot, self.plan.policy, self._begin_look()
        grant = await self._store.acquire(
            slot, self._environment.replica, floor=self.holding.floor, ttl_s=policy.lease_ttl_s
        )
        if grant is None:
            return None
        snapshot = grant.snapshot
        self._absorb(snapshot, look)
        action = judge(snapshot.state, self.me(), snapshot.now, policy)
        if not isinstance(action, Fetch):
            await self._store.release(slot, grant.lease)
            return None
        try:
            landed = await self._pilot.fly(grant, action, self.me())
        except StoreUnavailable:
            self._unsaid = withdrawn(grant.lease, action, snapshot.now)
            raise
        if not isinstance(landed.outcome, Unsent):
            self._spent = spend(self._spent, action.call, snapshot.now)
        self._land(landed)
        return landed

    def _land(self, landed: Landed) -> None:
        policy = self.plan.policy
        self._unsaid = landed.unsaid
        self.last_failure = landed.failure
        if landed.record is not None and landed.unsaid is not None:
            sent_at = landed.record.fetched_at
            self.holding.keep(landed.record, sent_at + policy.overlap_s - policy.overlap_margin_s)
        failure = landed.failure
        if failure is not None and failure.kind is FailureKind.OPERATOR:
            self._credential_refused = (failure.credential, failure.retry_at)
        self.had_outcome = True
        self._announce()

    def _rotated(self, landed: Landed) -> Served:
        if landed.record is not None and landed.unsaid is None:
            self.holding.keep(landed.record, landed.record.expires_at)
        served = self.holding.served()
        if landed.record is None:
            detail = f"There is no new token. {detail_of(landed.outcome)}".strip()
            raise NoLiveToken(detail, failure=landed.failure)
        if served is None:
            raise self.why_not()
        return served

    def _tell_unreadable(self, problem: UnreadableRecord) -> None:
        """The store answers, but this slot's document can't be read: a person must see to it."""
        detail, now = str(problem), self._store_clock.now()
        if self.last_failure is None or self.last_failure.detail != detail:
            log.error("stored_slot_unreadable", account=self.plan.name, detail=detail)
        again_at = now + _BREATHER_S
        self.last_failure = Failure(FailureKind.OPERATOR, now, again_at, 1, detail)

    async def _turn_alone(self) -> float:
        """Without the store: look again soon when there is nothing to serve."""
        now = self._store_clock.now()
        result: Wait | Failure | TokenRecord
        if self.state is not None and stands(self.state.frozen, now):
            result = Wait(float("inf"))
        else:
            result = await self._alone.turn(self.plan, self.me(), now)
        self.had_outcome = True
        if isinstance(result, Wait):
            self.waiting = Wait(min(result.until, now + _BREATHER_S), Reason.STORE_AWAY)
            patience_s = _LOOK_AGAIN_S if self.holding.served() else _BREATHER_S
            return min(result.until - now, patience_s)
        if isinstance(result, Failure):
            self.last_failure = result
        self._announce()
        return _BREATHER_S

    def _begin_look(self) -> int:
        self._looks += 1
        return self._looks

    def _absorb(self, snapshot: Snapshot, look: int) -> None:
        """Take a reading over, unless one that was asked for later came first."""
        if look < self._newest_look:
            return
        self._newest_look = look
        before = self.state
        version = self.holding.current_version()
        changed = self.holding.absorb(snapshot)
        if version is not None and version != self.holding.current_version():
            self._past.append(version)
        if before is not None and snapshot.state.foreign.count > before.foreign.count:
            self._tell_of_foreign_refresh(snapshot.state)
        if self.holding.served() is not None or snapshot.state.failure is not None:
            self.had_outcome = True
        if changed or before is None or before.condemned != snapshot.state.condemned:
            self._announce()

    def _tell_of_foreign_refresh(self, state: SlotState) -> None:
        log.error(
            "foreign_refresh_detected",
            account=self.plan.name,
            appid=self.plan.slot.appid,
            count=state.foreign.count,
            remedy="Another process asked WeChat for a token of this appid. Find who else holds "
            "its AppSecret (an SDK, a colleague, another environment), or reset the secret.",
        )

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


_LIMITS = {
    Reason.FORCED_TOO_SOON: "WeChat refreshes nothing within 30 s of the last forced refresh.",
    Reason.BUDGET_SPENT: "Today's budget of refreshes is spent; it is reset at midnight UTC+8.",
}
