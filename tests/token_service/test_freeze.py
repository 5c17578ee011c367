"""When a store is frozen, by whom, and until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.token_service.states import (
    ME,
    NOW,
    a_record,
    a_state,
    an_intent,
    condemned,
    dying,
    policy_of,
    probed,
)
from token_service import freeze as freezes, handover, transitions
from token_service.alarms import alarms_of, frozen, no_live_token
from token_service.freeze import HOLD_S, Changed, Freeze, Way
from token_service.freeze_told import remedy_of
from token_service.life import doubt_of, usable_until
from token_service.obstacles import Reason
from token_service.policy import Policy
from token_service.rotation import Ask, Fetch, Wait, decide, decide_rotation
from token_service.served import Alarm
from token_service.slot import (
    Call,
    Cause,
    Condemned,
    Fence,
    IntentOutcome,
    Lease,
    LeaseLost,
    Mode,
    Refusal,
    SlotState,
    TokenRecord,
    Verdict,
)

OUT = Freeze("copy-1", Way.OUT, "redis://new:6379/0", NOW - 10, NOW + 50)
SEALED = replace(OUT, until=None)
LAPSED = replace(OUT, until=NOW - 1)
FILLING = Freeze("copy-1", Way.IN, "sqlite:////old.db", NOW - 10, NOW + 50)
LEFT = replace(FILLING, until=NOW - 1)

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


def begun(current: Freeze | None, way: Way, copy: str = "copy-2") -> Changed:
    return freezes.begin(current, copy, way, "the other", now=NOW)


@pytest.mark.parametrize(
    ("freeze", "it_stands"),
    [(None, False), (OUT, True), (SEALED, True), (LAPSED, False), (FILLING, True), (LEFT, True)],
)
def test_a_source_thaws_when_its_copy_dies_and_a_half_filled_target_never_does(
    freeze: Freeze | None, it_stands: bool
) -> None:
    assert freezes.stands(freeze, NOW) is it_stands


@pytest.mark.parametrize("way", list(Way))
@pytest.mark.parametrize("current", [None, LAPSED])
def test_a_free_store_is_frozen_for_a_copy(current: Freeze | None, way: Way) -> None:
    wanted = Freeze("copy-2", way, "the other", NOW, NOW + HOLD_S)
    assert begun(current, way) == (wanted, True)


@pytest.mark.parametrize(
    ("current", "way"),
    [
        (OUT, Way.OUT),
        (OUT, Way.IN),
        (SEALED, Way.OUT),
        (SEALED, Way.IN),
        (FILLING, Way.IN),
        (FILLING, Way.OUT),
        (LEFT, Way.OUT),
    ],
)
def test_a_store_that_another_copy_holds_is_refused(current: Freeze, way: Way) -> None:
    assert begun(current, way) == (current, False)


def test_what_a_dead_copy_left_half_filled_is_taken_over() -> None:
    taken, done = begun(LEFT, Way.IN)
    assert done
    assert taken is not None
    assert taken.copy == "copy-2"


def test_the_same_copy_may_begin_again_but_not_at_the_other_end() -> None:
    assert begun(OUT, Way.OUT, "copy-1") == (replace(OUT, until=NOW + HOLD_S), True)
    assert begun(SEALED, Way.OUT, "copy-1") == (SEALED, True)
    assert begun(FILLING, Way.OUT, "copy-1") == (FILLING, False)


@pytest.mark.parametrize("current", [None, LAPSED, replace(OUT, copy="copy-2")])
def test_neither_prolonged_nor_sealed_is_what_ended_meanwhile(current: Freeze | None) -> None:
    assert freezes.prolong(current, "copy-1", now=NOW) == (current, False)
    assert freezes.seal(current, "copy-1", now=NOW) == (current, False)


def test_a_copy_at_work_prolongs_its_freeze_and_seals_it() -> None:
    assert freezes.prolong(OUT, "copy-1", now=NOW) == (replace(OUT, until=NOW + HOLD_S), True)
    assert freezes.seal(OUT, "copy-1", now=NOW) == (SEALED, True)
    assert freezes.prolong(SEALED, "copy-1", now=NOW) == (SEALED, True)


def test_a_target_let_go_stays_frozen_and_may_be_taken_over_at_once() -> None:
    left, _ = freezes.let_go(FILLING, "copy-1", now=NOW)
    assert freezes.stands(left, NOW + 1e6)
    assert begun(left, Way.IN)[1]


def test_only_its_own_copy_thaws_a_store() -> None:
    assert freezes.thaw(SEALED, "copy-1") == (None, True)
    assert freezes.thaw(SEALED, "copy-2") == (SEALED, True)


def test_that_a_copy_is_still_at_work_is_no_news() -> None:
    assert not freezes.is_news(OUT, replace(OUT, until=NOW + 99))
    assert not freezes.is_news(None, None)
    assert all(
        freezes.is_news(before, after)
        for before, after in [(None, OUT), (OUT, None), (OUT, SEALED), (OUT, FILLING)]
    )


@pytest.mark.parametrize("freeze", [OUT, SEALED, FILLING, LEFT])
def test_nobody_is_granted_the_right_to_mint_on_a_frozen_store(freeze: Freeze) -> None:
    state = replace(a_state(a_record()), frozen=freeze)
    assert transitions.acquire(state, "me", floor=0, ttl_s=15, now=NOW) == (state, None)


def test_a_call_under_way_is_committed_on_a_frozen_store() -> None:
    state, lease = transitions.acquire(a_state(), "me", floor=0, ttl_s=15, now=NOW)
    assert lease is not None
    record = replace(a_record(age_s=1), fence=lease.fence)
    state, stored = transitions.commit(replace(state, frozen=OUT), lease, record, now=NOW)
    assert stored
    assert (state.record, state.lease, state.frozen) == (record, None, OUT)


@pytest.mark.parametrize("freeze", [OUT, SEALED, FILLING])
def test_a_holder_who_slept_on_begins_nothing_on_a_frozen_store(freeze: Freeze) -> None:
    """The copy waited for its lease to lapse, and no longer."""
    state, lease = transitions.acquire(a_state(), "me", floor=0, ttl_s=15, now=NOW)
    assert lease is not None
    frozen = replace(state, frozen=freeze)

    def begin(state: SlotState, now: float) -> object:
        call, cause = Call.CLASSIC, Cause.MISSING
        return transitions.begin(state, lease, call, cause, lands_within_s=15, ttl_s=15, now=now)

    assert begin(frozen, NOW + 14)
    assert begin(state, NOW + 16)
    with pytest.raises(LeaseLost):
        begin(frozen, NOW + 15)
    with pytest.raises(LeaseLost):
        transitions.renew(frozen, lease, ttl_s=15, now=NOW + 15)


@pytest.mark.parametrize(
    ("freeze", "handed_out"), [(SEALED, True), (FILLING, False), (LEFT, False)]
)
def test_a_half_filled_store_has_no_token_to_hand_out(freeze: Freeze, handed_out: bool) -> None:
    state = replace(a_state(a_record()), frozen=freeze)
    assert (usable_until(state, NOW, policy_of(Mode.STABLE)) > NOW) is handed_out


@BOTH_MODES
def test_what_is_condemned_on_evidence_is_asked_itself_while_nothing_can_be_fetched(
    mode: Mode,
) -> None:
    state = condemned(a_state(a_record()), ago_s=1, probed=False)
    policy, frozen = policy_of(mode), replace(state, frozen=SEALED)
    assert isinstance(decide(state, ME, NOW, policy), Fetch)
    assert decide(frozen, ME, NOW, policy) == Ask(a_record(), 0.0)
    asked = probed(frozen, 0, Verdict.INCONCLUSIVE)
    assert decide(asked, ME, NOW, policy) == Wait(NOW + 10, Reason.STORE_FROZEN)
    assert isinstance(decide(asked, ME, NOW + 10, policy), Ask)
    dead = replace(condemned(frozen), condemned=Condemned(NOW - 1, probed=True))
    assert decide(dead, ME, NOW, policy) == Wait(float("inf"), Reason.STORE_FROZEN)


def test_a_frozen_ticket_is_not_asked() -> None:
    state = condemned(a_state(a_record()), probed=False)
    waits = Wait(float("inf"), Reason.STORE_FROZEN)
    assert decide(replace(state, frozen=SEALED), ME, NOW, Policy(ticket=True)) == waits


@pytest.mark.parametrize(
    ("freeze", "remedy"),
    [
        (OUT, "wait for the copy"),
        (FILLING, "wait for the copy"),
        (LEFT, "repeat the copy"),
        (SEALED, "use the service on the other store"),
    ],
)
def test_what_a_person_does_depends_on_whether_the_copy_is_at_work(
    freeze: Freeze, remedy: str
) -> None:
    assert remedy_of(freeze, NOW).startswith(remedy)


@BOTH_MODES
def test_a_token_taken_back_is_in_doubt_since_the_freeze(mode: Mode) -> None:
    call = Call.CLASSIC if mode is Mode.CLASSIC else Call.NORMAL
    record = replace(a_record(), call=call)
    state = handover.take_back(replace(a_state(record), frozen=SEALED), SEALED, now=NOW)
    doubt = doubt_of(state, NOW)
    assert doubt is not None
    assert (doubt.since, doubt.lands_before) == (SEALED.at, NOW)
    again = handover.take_back(state, SEALED, now=NOW + 5)
    assert len(again.intents) == 1
    # Whatever is minted after the thaw settles it.
    thawed, lease = transitions.acquire(
        replace(state, frozen=None), "me", floor=0, ttl_s=15, now=NOW
    )
    assert lease is not None
    fresh = replace(record, version="ff", fetched_at=NOW, fence=lease.fence)
    assert transitions.commit(thawed, lease, fresh, now=NOW)[0].intents == ()


@pytest.mark.parametrize("record", [None, replace(a_record(), call=Call.TICKET)])
def test_where_nobody_can_have_ended_a_token_there_is_no_doubt(record: TokenRecord | None) -> None:
    assert handover.take_back(a_state(record), SEALED, now=NOW) == a_state(record)


def test_a_frozen_store_takes_no_record_back() -> None:
    state = replace(SlotState("another life", NOW), frozen=LEFT)
    assert transitions.restore(state, a_record(), (), now=NOW) == (state, False)
    holder = replace(ME, held=a_record())
    assert isinstance(decide(state, holder, NOW, policy_of(Mode.STABLE)), Wait)


@BOTH_MODES
@pytest.mark.parametrize("freeze", [SEALED, LEFT])
def test_a_due_refresh_waits_for_a_person(mode: Mode, freeze: Freeze) -> None:
    state = replace(a_state(dying(100.0)), frozen=freeze)
    waits = Wait(float("inf"), Reason.STORE_FROZEN)
    assert decide(state, ME, NOW, policy_of(mode)) == waits
    assert decide_rotation(state, ME, NOW, policy_of(mode)) == waits


@BOTH_MODES
def test_a_due_refresh_waits_for_the_end_of_a_copy_at_work(mode: Mode) -> None:
    state = replace(a_state(dying(100.0)), frozen=OUT)
    assert decide(state, ME, NOW, policy_of(mode)) == Wait(OUT.until or 0.0, Reason.STORE_FROZEN)
    assert isinstance(decide(state, ME, NOW + 50, policy_of(mode)), Fetch)


def test_a_slot_with_nothing_due_is_looked_at_when_the_freeze_ends() -> None:
    state = replace(a_state(a_record()), frozen=OUT)
    assert decide(state, ME, NOW, policy_of(Mode.STABLE)) == Wait(OUT.until or 0.0)


def test_a_doubted_token_is_still_probed_on_a_frozen_store() -> None:
    doubted = a_state(a_record(), an_intent(100, IntentOutcome.UNKNOWN))
    state = replace(doubted, frozen=SEALED)
    assert isinstance(decide(state, ME, NOW, policy_of(Mode.CLASSIC)), Ask)


def test_it_rings_while_the_freeze_stands() -> None:
    state = replace(a_state(a_record()), frozen=SEALED)
    plan = policy_of(Mode.STABLE)
    assert alarms_of(state, ME, frozenset({"me"}), NOW, plan) == {Alarm.STORE_FROZEN}
    assert alarms_of(replace(state, frozen=LAPSED), ME, frozenset({"me"}), NOW, plan) == set()


@pytest.mark.parametrize(
    ("freeze", "told"),
    [
        (OUT, "is being copied to another one. Ask again in a moment"),
        (SEALED, "was copied to another one. Ask the service that runs there"),
        (FILLING, "is not whole yet"),
    ],
)
def test_a_reader_without_a_token_hears_of_the_freeze_and_of_no_address(
    freeze: Freeze, told: str
) -> None:
    state = replace(condemned(a_state(a_record())), frozen=freeze)
    refusal = no_live_token(state, Wait(float("inf"), Reason.STORE_FROZEN), None, NOW)
    assert told in refusal.detail
    assert freeze.other not in refusal.detail
    assert refusal.retry_after_s == 5.0
    assert frozen("x", state).detail.startswith("x: ")


def given(**changes: object) -> SlotState:
    """A source's slot with something of everything."""
    state = condemned(probed(a_state(a_record(counter=9), an_intent(100)), 1, Verdict.DEAD))
    lease = Lease("other", Fence("life", 9), NOW + 5)
    refusals = (Refusal("other", 40164, NOW, NOW + 60),)
    return replace(state, lease=lease, refusals=refusals, frozen=OUT, **changes)  # type: ignore[arg-type]


def test_a_slot_is_filled_with_all_but_what_belongs_to_the_others_replicas() -> None:
    target = SlotState("new life", NOW - 1, frozen=FILLING)
    filled, taken = handover.take_over(target, given(), "copy-1")
    assert taken
    assert filled == replace(
        given(),
        generation="new life",
        born_at=NOW - 1,
        lease=None,
        refusals=(),
        frozen=FILLING,
    )


def test_later_grants_stand_above_every_fence_that_came_along() -> None:
    known = replace(an_intent(1), fence=Fence("an earlier life", 30))
    target = SlotState("new life", NOW - 1, frozen=FILLING)
    filled, _ = handover.take_over(target, given(intents=(known,)), "copy-1")
    _, lease = transitions.acquire(
        replace(filled, frozen=None), "me", floor=0, ttl_s=15, now=NOW + 60
    )
    assert lease is not None
    assert lease.fence == Fence("new life", 31)


def test_a_holder_from_before_the_move_writes_nothing_to_the_new_store() -> None:
    target = SlotState("new life", NOW - 1, frozen=FILLING)
    filled, _ = handover.take_over(target, given(), "copy-1")
    late = replace(a_record(age_s=0, counter=9), value="a late token", version="ff")
    after, stored = transitions.commit(
        replace(filled, frozen=None), Lease("other", Fence("life", 9), NOW + 5), late, now=NOW
    )
    assert not stored
    assert after.record == given().record


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(SlotState("new life", NOW), id="not frozen"),
        pytest.param(SlotState("new life", NOW, frozen=OUT), id="frozen as a source"),
        pytest.param(
            SlotState("new life", NOW, frozen=replace(FILLING, copy="copy-2")),
            id="filled by another copy",
        ),
        pytest.param(SlotState("new life", NOW, 10, frozen=FILLING), id="granted since"),
    ],
)
def test_a_slot_that_is_not_this_copys_is_left_alone(target: SlotState) -> None:
    assert handover.take_over(target, given(), "copy-1") == (target, False)
