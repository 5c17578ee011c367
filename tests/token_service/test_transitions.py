"""Properties of the pure slot transitions, over any order of what replicas, crashes and clocks do.

Single rules have their tests in stores/, where every store runs them.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from tests.token_service import strategies
from token_service import transitions, verdicts
from token_service.budget import spend
from token_service.slot import (
    Abandonment,
    Budget,
    Call,
    Cause,
    Failure,
    FailureKind,
    Fence,
    Intent,
    IntentOutcome,
    Lease,
    LeaseLost,
    Refusal,
    SlotState,
    TokenRecord,
    Verdict,
)

START = 1_760_000_000.0
LEASE_S = 15.0
LANDS_S = 15.0
SETTLE_S = 5.0
WINDOW_S = 10.0
INTENTS_KEPT = 32

holders = st.sampled_from(["a", "b", "c"])
calls = st.sampled_from(Call)
Flight = tuple[Lease, Intent]


def minted(flight: Flight, value: str) -> TokenRecord:
    lease, intent = flight
    return TokenRecord(
        value=value,
        version=value,
        issued_at=intent.sent_at,
        expires_at=intent.sent_at + 7200,
        fetched_at=intent.sent_at,
        fence=lease.fence,
        call=intent.call,
        cause=intent.cause,
    )


def landed(state: SlotState, now: float) -> int:
    return sum(intent.lands_before <= now for intent in state.intents)


class SlotMachine(RuleBasedStateMachine):
    """Replicas that acquire, announce, pause, come late, repeat themselves and lose the store."""

    leases = Bundle("leases")
    flights = Bundle("flights")
    records = Bundle("records")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.state = SlotState("life 0", START)
        self.lives = 0
        self.highest = 0
        self.grants: list[Lease] = []

    @rule(seconds=st.sampled_from([0.5, 4.0, LEASE_S, 310.0, 40_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=leases, holder=holders, floor=st.integers(0, 40))
    def acquire(self, holder: str, floor: int) -> Lease:
        before = self.state
        self.state, lease = transitions.acquire(
            before, holder, floor=floor, ttl_s=LEASE_S, now=self.now
        )
        if lease is None:
            assert before.lease is not None
            assert before.lease.holder != holder
            assert self.state == before
            return before.lease
        assert lease.fence.counter > max(floor, before.counter)
        assert lease.fence not in {grant.fence for grant in self.grants}
        self.grants.append(lease)
        return lease

    @rule(lease=leases)
    def renew(self, lease: Lease) -> None:
        try:
            self.state, renewed = transitions.renew(self.state, lease, ttl_s=LEASE_S, now=self.now)
        except LeaseLost:
            assert self.state.lease is None or self.state.lease.fence != lease.fence
        else:
            assert renewed.expires_at == self.now + LEASE_S

    @rule(lease=leases)
    def release(self, lease: Lease) -> None:
        before = self.state
        self.state = transitions.release(before, lease)
        assert transitions.release(self.state, lease) == self.state
        if before.lease is not None and before.lease.fence != lease.fence:
            assert self.state == before

    @rule(target=flights, lease=leases, call=calls)
    def begin(self, lease: Lease, call: Call) -> Flight:
        before = self.state
        try:
            self.state, intent = self._begun(lease, call)
        except LeaseLost:
            lost = Intent(
                lease.fence, lease.holder, call, Cause.PLANNED, self.now, self.now + LANDS_S
            )
            return lease, lost
        assert intent in self.state.intents
        assert before.lease is not None
        assert before.lease.fence == lease.fence
        assert self._begun(lease, call)[0] == self.state
        self._assert_bounded()
        return lease, intent

    @rule(target=records, flight=flights, value=st.sampled_from(["t1", "t2", "t3", "t4"]))
    def commit(self, flight: Flight, value: str) -> TokenRecord:
        before, lease, record = self.state, flight[0], minted(flight, value)
        self.state, stored = transitions.commit(before, lease, record, now=self.now)
        current = self.state.record
        if stored:
            assert current is not None
            assert (current.version, current.fence) == (record.version, record.fence)
            assert lease.fence.generation == self.state.generation or current == before.record
        else:
            assert current == before.record
            if record.call.kills_predecessor:
                assert self._outcome_of(lease) is IntentOutcome.REFUSED
        if self._overtaken(lease):
            assert current == before.record
        again = transitions.commit(self.state, lease, record, now=self.now)
        assert again == (self.state, stored)
        self._assert_bounded()
        return record

    @rule(flight=flights, sent=st.booleans(), unknown=st.booleans(), named=st.booleans())
    def abandon(self, flight: Flight, *, sent: bool, unknown: bool, named: bool) -> None:
        lease, intent = flight
        failure = Failure(FailureKind.TRANSIENT, self.now, self.now + 1, 1, "it failed")
        refusal = Refusal(lease.holder, 40164, self.now, self.now + 60)
        ending = Abandonment(
            sent or unknown, unknown, failure if named else None, None if named else refusal
        )
        before = self.state
        self.state = self._abandoned(flight, ending)
        assert self.state.record == before.record
        assert self.state.lease is None or self.state.lease.fence != lease.fence
        assert self._abandoned(flight, ending) == self.state
        if unknown and intent.call.kills_predecessor:
            assert landed(self.state, self.now + LANDS_S) > 0
        self._assert_bounded()

    @rule(record=records, verdict=st.sampled_from(Verdict), late_s=st.sampled_from([0.0, 3.0]))
    def probe(self, record: TokenRecord, verdict: Verdict, late_s: float) -> None:
        claimed, probe, ours = verdicts.claim_probe(
            self.state, record.version, window_s=WINDOW_S, now=self.now
        )
        _, _, again = verdicts.claim_probe(claimed, record.version, window_s=WINDOW_S, now=self.now)
        assert not again
        self.state = claimed
        if not ours:
            return
        self.now += late_s
        self.state = verdicts.settle_probe(claimed, probe, verdict, now=self.now)
        assert self.state.record == claimed.record
        assert self.state == verdicts.settle_probe(self.state, probe, verdict, now=self.now)
        if claimed.record is None or claimed.record.version != record.version:
            assert self.state.condemned == claimed.condemned

    @rule(record=records)
    def condemn(self, record: TokenRecord) -> None:
        before = self.state
        self.state = verdicts.condemn(before, record.version, now=self.now)
        assert self.state.record == before.record
        if before.record is None or before.record.version != record.version:
            assert self.state == before

    @rule(record=records, flight=flights)
    def restore(self, record: TokenRecord, flight: Flight) -> None:
        before = self.state
        self.state, taken = transitions.restore(before, record, (flight[1],), now=self.now)
        if not taken:
            assert self.state == before
            return
        assert self.state.record == record
        if before.record == record:
            assert not before.committed
        elif before.record is not None:
            assert before.record.fence.counter < record.fence.counter
            assert before.record.fetched_at <= record.fetched_at
        assert record.fence.generation == before.generation or not before.committed
        assert transitions.restore(self.state, record, (flight[1],), now=self.now) == (
            self.state,
            False,
        )

    @precondition(lambda self: self.lives < 3)
    @rule()
    def lose_the_store(self) -> None:
        self.lives += 1
        self.highest = 0
        self.state = SlotState(f"life {self.lives}", self.now)

    @invariant()
    def the_counter_never_falls(self) -> None:
        assert self.state.counter >= self.highest
        self.highest = self.state.counter

    @invariant()
    def nothing_is_above_the_counter(self) -> None:
        generation = self.state.generation
        fences = [self.state.lease.fence] if self.state.lease else []
        fences += [self.state.record.fence] if self.state.record else []
        assert all(
            fence.counter <= self.state.counter
            for fence in fences
            if fence.generation == generation
        )

    @invariant()
    def no_budget_is_negative(self) -> None:
        budget = self.state.budget
        assert min(budget.normal, budget.forced, budget.classic) >= 0

    @invariant()
    def each_replica_is_refused_once(self) -> None:
        names = [refusal.replica for refusal in self.state.refusals]
        assert len(names) == len(set(names))

    @invariant()
    def only_a_current_token_is_condemned(self) -> None:
        assert self.state.condemned is None or self.state.record is not None

    def _begun(self, lease: Lease, call: Call) -> tuple[SlotState, Intent]:
        return transitions.begin(
            self.state,
            lease,
            call,
            Cause.PLANNED,
            lands_within_s=LANDS_S,
            ttl_s=LEASE_S,
            now=self.now,
        )

    def _abandoned(self, flight: Flight, ending: Abandonment) -> SlotState:
        return transitions.abandon(self.state, *flight, ending, settle_s=SETTLE_S, now=self.now)

    def _outcome_of(self, lease: Lease) -> IntentOutcome | None:
        return next(
            (
                intent.outcome
                for intent in self.state.intents
                if (intent.fence, intent.holder) == (lease.fence, lease.holder)
            ),
            None,
        )

    def _overtaken(self, lease: Lease) -> bool:
        """Whether another grant of this life came after, or the life is another."""
        return lease.fence.generation != self.state.generation or any(
            grant.fence.generation == lease.fence.generation
            and grant.fence.counter > lease.fence.counter
            for grant in self.grants
        )

    def _assert_bounded(self) -> None:
        assert len(self.state.intents) <= INTENTS_KEPT or landed(self.state, self.now) < 2


SlotMachine.TestCase.settings = settings(stateful_step_count=40)
test_a_slot_survives_any_order_of_events = SlotMachine.TestCase


def crowded(count: int, call: Call) -> SlotState:
    """A slot that many holders in a row began a call on, and died."""
    state, now = SlotState("life 0", START), START
    for number in range(count):
        state, lease = transitions.acquire(state, f"h{number}", floor=0, ttl_s=LEASE_S, now=now)
        assert lease is not None
        state, _ = transitions.begin(
            state, lease, call, Cause.DOUBT, lands_within_s=LANDS_S, ttl_s=LEASE_S, now=now
        )
        now += LEASE_S
    return state


def test_a_long_row_of_crashes_leaves_a_bounded_number_of_intents() -> None:
    assert len(crowded(200, Call.CLASSIC).intents) == INTENTS_KEPT


def test_folded_intents_still_span_all_that_may_have_happened() -> None:
    intents = crowded(200, Call.CLASSIC).intents
    assert min(intent.sent_at for intent in intents) == START
    assert max(intent.lands_before for intent in intents) == START + 199 * LEASE_S + LANDS_S


def test_folding_forgets_no_killer_among_normal_calls() -> None:
    (killer,) = crowded(1, Call.FORCED).intents
    normal = crowded(INTENTS_KEPT, Call.NORMAL)
    state = replace(normal, intents=(*normal.intents[:5], killer, *normal.intents[5:]))
    now = START + 3600
    state, lease = transitions.acquire(state, "x", floor=0, ttl_s=LEASE_S, now=now)
    assert lease is not None
    state, intent = transitions.begin(
        state, lease, Call.NORMAL, Cause.DOUBT, lands_within_s=LANDS_S, ttl_s=LEASE_S, now=now
    )
    assert state.intents == (killer, intent)


@given(strategies.states, strategies.abandonments, strategies.leases, strategies.intents)
@settings(max_examples=50)
def test_an_abandoned_call_changes_no_token(
    state: SlotState, ending: Abandonment, lease: Lease, intent: Intent
) -> None:
    after = transitions.abandon(state, lease, intent, ending, settle_s=SETTLE_S, now=START)
    assert (after.record, after.condemned, after.counter, after.committed) == (
        state.record,
        state.condemned,
        state.counter,
        state.committed,
    )


@given(strategies.budgets, calls, strategies.times)
def test_spending_counts_one_call_and_no_other(budget: Budget, call: Call, now: float) -> None:
    once = spend(budget, call, now)
    twice = spend(once, call, now)
    assert twice.spent(call) == once.spent(call) + 1
    assert all(twice.spent(other) == once.spent(other) for other in Call if other is not call)


@given(strategies.states, strategies.records)
def test_only_a_higher_fence_is_restored(state: SlotState, record: TokenRecord) -> None:
    after, taken = transitions.restore(state, record, (), now=START)
    held = state.record.fence if state.record else Fence("", -1)
    assert not taken or record.fence.counter > held.counter
    assert after.counter >= state.counter
