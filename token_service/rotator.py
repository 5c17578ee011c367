"""All slots of one replica: wakes their keepers, follows the store's changes, answers readers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from token_service.agenda import Agenda
from token_service.alarms import describe
from token_service.environment import Environment
from token_service.freeze import stands
from token_service.holding import StoreClock, StoreHealth
from token_service.keeper import Keeper
from token_service.readers import Readers
from token_service.served import NoLiveToken
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from token_service.flight import Upstream
    from token_service.freeze import Freeze
    from token_service.observer import Observer
    from token_service.plan import AccountPlan
    from token_service.served import Alarm, Rejection, Served, SlotStatus
    from token_service.slot import Slot
    from token_service.stores.base import TokenStore
    from zhongkong.runtime.clock import Clock, Randomness

log = get_logger()

_TURNS_AT_ONCE = 64
_TICK_S = 0.001
_FEED_WAIT_S = 5.0
_FEED_RETRY_S = 0.5
_HEARTBEAT_S = 5.0
_HEARTBEAT_TTL_S = 15.0
_AFTER_CRASH_S = 5.0
_ROTATION_S = 25.0


class Rotator:
    """Keeps every account's token alive. `run` owns all tasks; the rest may be called any time."""

    def __init__(
        self,
        store: TokenStore,
        upstream: Upstream,
        accounts: Mapping[str, AccountPlan],
        *,
        replica: str,
        clock: Clock,
        randomness: Randomness,
        observer: Observer,
    ) -> None:
        self.replica = replica
        self.replicas: frozenset[str] = frozenset({replica})
        self._store = store
        self._clock = clock
        self._observer = observer
        self._store_clock = StoreClock(clock)
        self._health = StoreHealth(observer)
        self._environment = Environment(
            replica,
            store,
            upstream,
            clock,
            self._store_clock,
            self._health,
            randomness,
            observer,
        )
        self._keepers: dict[Slot, Keeper] = {}
        self._agenda: Agenda[Slot] = Agenda()
        self._woken = asyncio.Event()
        self._busy: set[Slot] = set()
        self._again: set[Slot] = set()
        self._alarms: dict[Slot, frozenset[Alarm]] = {}
        self._stopping = False
        self._turns = asyncio.Semaphore(_TURNS_AT_ONCE)
        self._readers = Readers(self.wake)
        self._add(accounts)

    @property
    def ready(self) -> bool:
        """Whether each account had a first outcome: a token, or a reason why there is none."""
        return all(keeper.had_outcome for keeper in self._keepers.values())

    @property
    def store_reachable(self) -> bool:
        """Whether the store answered when last asked."""
        return self._health.reachable

    @property
    def freeze(self) -> Freeze | None:
        """Why nothing may be minted on the store, as some slot of it was read last."""
        now = self.now()
        states = (keeper.state for keeper in self._keepers.values())
        freezes = (state.frozen for state in states if state is not None)
        return next((freeze for freeze in freezes if stands(freeze, now)), None)

    def now(self) -> float:
        """The store's time as estimated here; lifetimes are counted by it."""
        return self._store_clock.now()

    async def run(self) -> None:
        """Do the background work until `stop`, then let calls under way end. Cancel to cut them."""
        async with asyncio.TaskGroup() as group:
            loops = [
                group.create_task(self._follow_changes(), name="change feed"),
                group.create_task(self._beat(), name="heartbeat"),
            ]
            await self._run_agenda(group)
            for loop in loops:
                loop.cancel()

    def stop(self) -> None:
        """Begin no further turn; `run` returns when those under way have ended."""
        self._stopping = True
        self._woken.set()

    def peek(self, slot: Slot) -> Served | None:
        """The live token from memory; None when none is held. The hot path: nothing is awaited."""
        keeper = self._keepers.get(slot)
        return None if keeper is None else keeper.holding.served()

    async def get(self, slot: Slot, *, wait_s: float, min_ttl_s: float = 0.0) -> Served:
        """The live token; waits for the refresh under way, at most `wait_s`. Raises NoLiveToken."""
        served = self.peek(slot)
        if served is not None and served.expires_at - self.now() >= min_ttl_s:
            return served
        return await self._readers.wait_for_token(self._keeper(slot), wait_s, self.now, min_ttl_s)

    async def reject(self, slot: Slot, version: str, *, evidence: bool = False) -> Rejection:
        """Somebody says that this version is dead. May be repeated. Raises NoLiveToken.

        A claim is probed first; `evidence` (WeChat's own word on a call of ours) needs no probe.
        """
        keeper = self._keeper(slot)
        rejection = await self._readers.reject(keeper, version, evidence=evidence)
        self._observer.rejection_answered(keeper.plan.name, rejection.outcome)
        return rejection

    async def rotate(self, slot: Slot, *, reason: str) -> Served:
        """Replace the token now. Raises TooSoon, NoLiveToken, StoreUnavailable."""
        keeper = self._keeper(slot)
        log.warning("rotation_requested", account=keeper.plan.name, reason=reason)
        try:
            async with asyncio.timeout(_ROTATION_S):
                return await keeper.rotate()
        except TimeoutError:
            raise keeper.why_not() from None
        finally:
            self.wake(slot)

    def status(self, slot: Slot) -> SlotStatus:
        """Everything that may be shown of a slot."""
        keeper = self._keepers[slot]
        return describe(
            keeper.plan,
            keeper.state,
            keeper.me(),
            served=keeper.holding.served(),
            waiting=keeper.waiting,
            failure=keeper.last_failure,
            replicas=self.replicas,
            store_reachable=self.store_reachable,
            now=self.now(),
        )

    def statuses(self) -> list[SlotStatus]:
        """The status of every slot, in the order of the configuration."""
        return [self.status(slot) for slot in self._keepers]

    def reconfigure(self, accounts: Mapping[str, AccountPlan]) -> None:
        """Take over a changed configuration: new slots begin, gone ones end."""
        wanted = {plan.slot for plan in accounts.values()}
        for slot in set(self._keepers) - wanted:
            del self._keepers[slot]
            self._agenda.drop(slot)
        self._add(accounts)

    def credential_changed(self, account: str) -> None:
        """The account's secret was replaced: what was refused is tried again at once."""
        for slot, keeper in self._keepers.items():
            if keeper.plan.name == account:
                keeper.credential_changed()
                self.wake(slot)

    def wake(self, slot: Slot) -> None:
        """Give this slot a turn now."""
        if slot in self._keepers:
            self._agenda.put(slot, self._clock.monotonic())
            self._woken.set()

    def _keeper(self, slot: Slot) -> Keeper:
        keeper = self._keepers.get(slot)
        if keeper is None:
            raise NoLiveToken("This account was just removed from the configuration.")
        return keeper

    def _add(self, accounts: Mapping[str, AccountPlan]) -> None:
        for plan in accounts.values():
            known = self._keepers.get(plan.slot)
            if known is not None:
                known.replan(plan)
            else:
                self._keepers[plan.slot] = Keeper(plan, self._environment)
            self.wake(plan.slot)

    async def _run_agenda(self, group: asyncio.TaskGroup) -> None:
        while not self._stopping:
            self._woken.clear()
            now = self._clock.monotonic()
            for slot in self._agenda.pop_due(now):
                if slot in self._busy:
                    self._again.add(slot)
                elif slot in self._keepers:
                    self._busy.add(slot)
                    group.create_task(self._give_turn(slot), name=f"turn {slot}")
            left_s = self._agenda.next_at() - self._clock.monotonic()
            await _wait(self._woken, min(max(left_s, _TICK_S), _FEED_WAIT_S))

    async def _give_turn(self, slot: Slot) -> None:
        """The outer frame of a turn: a defect in one slot must not end the others' rotation."""
        keeper = self._keepers.get(slot)
        wait_s = _AFTER_CRASH_S
        try:
            if keeper is not None:
                async with self._turns:
                    wait_s = max(await keeper.turn(), _TICK_S)
                self._tell_alarms(slot, keeper)
        except Exception as error:
            log.exception("turn_crashed", slot=str(slot))
            self._observer.turn_crashed(str(slot), error)
        finally:
            self._busy.discard(slot)
        if slot in self._again:
            self._again.discard(slot)
            wait_s = 0.0
        if slot in self._keepers:
            self._agenda.put(slot, self._clock.monotonic() + wait_s)
            self._woken.set()

    async def _follow_changes(self) -> None:
        cursor: str | None = None
        wait_s = _FEED_WAIT_S
        while True:
            try:
                changes = await self._store.changes(cursor, wait_s=wait_s)
            except StoreUnavailable as problem:
                self._health.lost(problem)
                await self._clock.sleep(_FEED_RETRY_S)
                wait_s = 0.0  # that the store is back is news by itself
                continue
            wait_s = _FEED_WAIT_S
            found = self._health.found()
            everything = found or changes.reset or cursor is None
            for slot in list(self._keepers) if everything else changes.slots:
                self.wake(slot)
            cursor = changes.cursor

    async def _beat(self) -> None:
        """Say that this replica lives, so that others know whose refusals count."""
        while True:
            try:
                self.replicas = await self._store.heartbeat(self.replica, ttl_s=_HEARTBEAT_TTL_S)
            except StoreUnavailable as problem:
                self._health.lost(problem)
            await self._clock.sleep(_HEARTBEAT_S)

    def _tell_alarms(self, slot: Slot, keeper: Keeper) -> None:
        ringing = frozenset(self.status(slot).alarms)
        before = self._alarms.get(slot, frozenset())
        self._alarms[slot] = ringing
        for alarm in ringing ^ before:
            self._observer.alarm_changed(keeper.plan.name, alarm, rings=alarm in ringing)
            log.warning(
                "alarm_raised" if alarm in ringing else "alarm_cleared",
                account=keeper.plan.name,
                alarm=alarm,
            )


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
