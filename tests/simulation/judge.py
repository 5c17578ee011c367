"""What must never be seen, judged by WeChat's ledger and the store's content alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from tests.simulation.loop import EPOCH
from token_service.life import doubt_of, usable_until
from token_service.slot import Call, Verdict
from token_service.stores.memory import MemoryTokenStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.door import Door
    from token_service.plan import AccountPlan
    from token_service.served import Alarm, RejectionOutcome, Served
    from token_service.slot import Slot, SlotState, TokenRecord
    from zhongkong.emulator.ledger import Ledger

R = TypeVar("R")

_HEARD_S = 60.0
_SETTLED_S = 15.0
_SETTLING_S = 20.0
_LOSS_SHADOW_S = 30.0
_CALLS_A_MINUTE = 12


class Judge:
    """Collects violations; each says when and what. It is every replica's observer, too."""

    def __init__(self, ledger: Ledger, *, overlap_is_kept: bool) -> None:
        self.violations: list[str] = []
        self.calls = 0
        self.others_kill = False
        self.lost_at = -_LOSS_SHADOW_S
        self._ledger = ledger
        self._overlap_is_kept = overlap_is_kept
        self._loop = asyncio.get_running_loop()
        self._in_flight: dict[str, bool] = {}
        self._call_began = asyncio.Event()
        self.store: JudgedStore | None = None
        self._stored_once: set[str] = set()

    def wall(self) -> float:
        """WeChat's clock."""
        return EPOCH + self._loop.time()

    def note(self, what: str) -> None:
        """A violation."""
        self.violations.append(f"at {self._loop.time():.1f} s: {what}")

    def call_sent(self, replica: str, plan: AccountPlan, call: Call) -> None:
        """G2, and that no living token is replaced without need."""
        self.calls += 1
        state = self._state(plan.slot)
        lease = state.lease
        ends_at = self.wall() + plan.policy.call_deadline_s
        announced = lease is not None and lease.holder == replica and lease.expires_at > ends_at
        if call is not Call.NORMAL and not announced:
            self.others_kill = True  # it stood still between its last check and the send
            return
        alone = call is Call.NORMAL and not announced
        others = [
            name for name, by_lease in self._in_flight.items() if by_lease and name != replica
        ]
        if others and not alone and self._loop.time() - self.lost_at > _LOSS_SHADOW_S:
            self.note(f"{replica} sent a call while one of {others} was under way")
        self._in_flight[replica] = not alone
        self._call_began.set()
        self._call_began.clear()
        self._judge_need(plan, state, call)

    async def next_call(self, *, timeout_s: float) -> str | None:
        """Wait for a call to be sent; the replica that sent it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._call_began.wait()
        return next(iter(self._in_flight), None)

    def call_over(self, replica: str) -> None:
        """The caller has its answer, or has given up."""
        self._in_flight.pop(replica, None)

    def crashed(self, replica: str) -> None:
        """What a dead process had under way is nobody's call any more."""
        self._in_flight.pop(replica, None)

    def sample(self, replica: str, served: Served | None, door: Door, plan: AccountPlan) -> None:
        """A reader asked: G1 and G5."""
        now = self.wall()
        heard = self._loop.time() - door.store_contact_at
        if served is None:
            if self._loop.time() - door.in_contact_since > _SETTLED_S:
                self._judge_refusal(replica, heard, now, plan)
            return
        unheard = heard > _HEARD_S or self._loop.time() - door.in_contact_since < _SETTLED_S
        if not unheard and now >= served.expires_at + 5.0:
            self.note(f"{replica} handed out a token past its end")
        known_death = self.others_kill or not self._overlap_is_kept or unheard
        shadowed = served.issued_at < EPOCH + self.lost_at + _LOSS_SHADOW_S
        excused = known_death or shadowed or self._was_proven_alive(served, plan)
        if not excused and not self._ledger.alive(served.value, now):
            self.note(f"{replica} handed out a dead token")

    def committed(self, before: SlotState, after: SlotState) -> None:
        """G3: a loser can't overwrite a winner, nor store a token after a later grant."""
        old, new = before.record, after.record
        if new is None or (old is not None and old.version == new.version):
            return
        if old is not None and new.fetched_at < old.fetched_at:
            self.note(f"a mint of {new.fetched_at:.1f} overwrote one of {old.fetched_at:.1f}")
        returned = new.version in self._stored_once
        self._stored_once.add(new.version)
        same_life = new.fence.generation == before.generation
        if same_life and new.fence.counter < before.counter and not returned:
            self.note(f"a token of grant {new.fence.counter} was stored after {before.counter}")

    def converged(self, served: dict[str, Served | None]) -> None:
        """After the storm every replica serves the same living token."""
        versions = {token.version if token else None for token in served.values()}
        if len(versions) != 1 or None in versions:
            self.note(f"replicas disagree after the storm: {versions}")
        for replica, token in served.items():
            if token is not None and not self._ledger.alive(token.value, self.wall()):
                self.note(f"{replica} serves a dead token after the storm")

    def bounded(self, minutes: float) -> None:
        """No storm: the number of token calls stays small."""
        if self.calls > _CALLS_A_MINUTE * minutes:
            self.note(f"{self.calls} token calls in {minutes:.0f} minutes")

    def _was_proven_alive(self, served: Served, plan: AccountPlan) -> bool:
        """A token in doubt is served on a proof of life, and may die right after."""
        state, now = self._state(plan.slot), self.wall()
        probe = state.probe
        if probe is None or doubt_of(state, now) is None:
            return False
        # One that is under way follows a proof of life that is as old as a window at most.
        proof = probe.version == served.version and probe.verdict is not Verdict.DEAD
        return proof and now < probe.claimed_at + plan.policy.probe_window_s

    def _judge_need(self, plan: AccountPlan, state: SlotState, call: Call) -> None:
        record = state.record
        if call is Call.NORMAL or record is None or not self._is_sound(record):
            return
        if state.condemned is not None:
            self.note("a living token was condemned")
        rotation = any(intent.cause == "rotation_requested" for intent in state.intents)
        left = record.expires_at - self.wall()
        if left > plan.policy.lead_s + 10 and not rotation and doubt_of(state, self.wall()) is None:
            self.note(f"a living token with {left:.0f} s left was replaced")

    def _judge_refusal(self, replica: str, heard: float, now: float, plan: AccountPlan) -> None:
        state = self._state(plan.slot)
        record = state.record
        if heard > 2.0 or record is None or self._loop.time() - self.lost_at < _LOSS_SHADOW_S:
            return
        changed_lately = now - record.fetched_at < _SETTLING_S or state.probe is not None
        usable = usable_until(state, now, plan.policy) > now + 5.0
        if usable and not changed_lately and self._is_sound(record):
            self.note(f"{replica} served nothing while a live token was stored")

    def _is_sound(self, record: TokenRecord) -> bool:
        return self._ledger.alive(record.value, self.wall())

    def _state(self, slot: Slot) -> SlotState:
        assert self.store is not None
        return self.store._state(slot)

    # What a replica's observer hears; only a crashed turn is a violation.

    def call_finished(self, account: str, call: Call, outcome: str, took_s: float) -> None: ...
    def probe_finished(self, account: str, verdict: Verdict) -> None: ...
    def rejection_answered(self, account: str, outcome: RejectionOutcome) -> None: ...
    def commit_refused(self, account: str) -> None: ...
    def alarm_changed(self, account: str, alarm: Alarm, *, rings: bool) -> None: ...
    def store_reachable(self, *, reachable: bool) -> None: ...

    def turn_crashed(self, slot: str, error: Exception) -> None:
        self.note(f"a turn of {slot} crashed: {error!r}")


class JudgedStore(MemoryTokenStore):
    """The shared store, every update of which is judged."""

    judge: Judge

    async def _update(
        self, slot: Slot, transition: Callable[[SlotState, float], tuple[SlotState, R]]
    ) -> R:
        before = self._state(slot)
        result = await super()._update(slot, transition)
        self.judge.committed(before, self._state(slot))
        return result
