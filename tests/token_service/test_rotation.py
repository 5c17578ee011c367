"""The one decision - wait, fetch, probe or restore - on plain states, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.token_service.states import (
    CLASSIC,
    ME,
    NOW,
    STABLE,
    VERSION,
    a_record,
    a_state,
    an_intent,
    condemned,
    dying,
    failed,
    policy_of,
    probed,
    spent,
)
from token_service.life import planned_at
from token_service.obstacles import Reason
from token_service.policy import Policy, Replica
from token_service.rotation import (
    Ask,
    Fetch,
    Restore,
    Wait,
    decide,
    decide_alone,
    decide_rotation,
)
from token_service.slot import (
    Call,
    Cause,
    FailureKind,
    Fence,
    IntentOutcome,
    Lease,
    Mode,
    Refusal,
    SlotState,
    Verdict,
)

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))
FIRST_CALL = {Mode.CLASSIC: Call.CLASSIC, Mode.STABLE: Call.NORMAL}
UNKNOWN = IntentOutcome.UNKNOWN


def decided(state: SlotState, policy: Policy = CLASSIC, me: Replica = ME) -> object:
    return decide(state, me, NOW, policy)


# -------------------------------------------------------------------------- planned and missing


@BOTH_MODES
def test_a_fresh_token_is_left_alone_until_its_planned_refresh(mode: Mode) -> None:
    record = a_record(600)
    assert decided(a_state(record), policy_of(mode)) == Wait(planned_at(record, CLASSIC))


@BOTH_MODES
def test_near_its_end_it_is_replaced(mode: Mode) -> None:
    fetch = Fetch(FIRST_CALL[mode], Cause.PLANNED)
    assert decided(a_state(dying(200)), policy_of(mode)) == fetch


@BOTH_MODES
def test_past_its_end_the_cause_says_so(mode: Mode) -> None:
    fetch = Fetch(FIRST_CALL[mode], Cause.EXPIRED)
    assert decided(a_state(dying(-1)), policy_of(mode)) == fetch


@BOTH_MODES
def test_without_a_token_one_is_fetched(mode: Mode) -> None:
    assert decided(a_state(), policy_of(mode)) == Fetch(FIRST_CALL[mode], Cause.MISSING)


def test_a_store_born_just_now_is_left_to_those_that_may_hold_a_token() -> None:
    newborn = SlotState("life", NOW - 1.0)
    assert decided(newborn) == Wait(NOW + 2.0)
    assert decided(newborn, replace(CLASSIC, reseed_grace_s=0.0)) == Fetch(
        Call.CLASSIC, Cause.MISSING
    )


def test_what_is_due_but_held_back_says_why() -> None:
    state = replace(a_state(dying(100)), lease=Lease("other", Fence("life", 9), NOW + 9))
    assert decided(state) == Wait(NOW + 9, Reason.LEASE_HELD)


def test_an_open_call_is_looked_at_again_when_it_can_no_longer_land() -> None:
    assert decided(a_state(a_record(), an_intent(5))) == Wait(NOW + 10)


# ------------------------------------------------------------------------------ classic: in doubt


def test_a_classic_token_in_doubt_is_probed_at_once() -> None:
    record = a_record()
    asked = decided(a_state(record, an_intent(3, UNKNOWN)))
    assert isinstance(asked, Ask)
    assert asked.record == record


def test_a_probe_of_before_the_doubt_says_nothing_about_it() -> None:
    state = probed(a_state(a_record(), an_intent(3, UNKNOWN)), 5)
    assert isinstance(decided(state), Ask)


def test_one_found_alive_is_probed_again_after_30_s() -> None:
    state = probed(a_state(a_record(), an_intent(60, UNKNOWN)), 20)
    assert decided(state) == Wait(NOW + 10)
    assert isinstance(decided(probed(state, 30)), Ask)


def test_one_found_dead_is_replaced_now() -> None:
    state = condemned(a_state(a_record(), an_intent(20, UNKNOWN)))
    assert decided(state) == Fetch(Call.CLASSIC, Cause.REJECTED)


def test_one_found_alive_is_replaced_when_half_of_what_is_left_has_passed() -> None:
    """The doubt is known 1 s after its begin, and the token ends 285 s after it."""
    early = probed(a_state(a_record(1000), an_intent(142, UNKNOWN)), 5)
    assert isinstance(decided(early), Wait)
    late = probed(a_state(a_record(1000), an_intent(144, UNKNOWN)), 5)
    assert decided(late) == Fetch(Call.CLASSIC, Cause.DOUBT)


@pytest.mark.parametrize(
    ("ago_s", "again"),
    [
        pytest.param(5, False, id="too soon"),
        pytest.param(25, False, id="half of what is left has not passed"),
        pytest.param(43, True, id="it has"),
    ],
)
def test_a_failed_mint_in_doubt_is_repeated_at_half_of_what_is_left_again(
    ago_s: float, again: bool
) -> None:
    """The try failed 85 s before the early end."""
    doubted = a_state(a_record(1000), an_intent(200 + ago_s, UNKNOWN))
    state = failed(probed(doubted, 2), ago_s=ago_s, wait_s=1)
    assert isinstance(decided(state), Fetch) is again


def test_mints_in_doubt_are_10_s_apart_however_little_is_left() -> None:
    doubted = probed(a_state(a_record(1000), an_intent(280, UNKNOWN)), 2)
    assert isinstance(decided(failed(doubted, ago_s=9, wait_s=1)), Wait)
    assert isinstance(decided(failed(doubted, ago_s=10, wait_s=1)), Fetch)


@pytest.mark.parametrize(
    ("ago_s", "asked"), [pytest.param(7.0, False, id="fresh"), pytest.param(8.0, True, id="stale")]
)
def test_past_the_early_end_a_proof_is_renewed_before_it_lapses(ago_s: float, asked: bool) -> None:
    state = failed(probed(a_state(a_record(1000), an_intent(400, UNKNOWN)), ago_s), ago_s=1)
    assert isinstance(decided(state), Ask) is asked


def test_a_proof_is_at_hand_when_the_early_end_comes() -> None:
    """The last probe was 25 s ago, and the end is 4 s ahead."""
    state = failed(probed(a_state(a_record(1000), an_intent(281, UNKNOWN)), 25), ago_s=1)
    assert isinstance(decided(state), Ask)


# ------------------------------------------------------------------------------- stable: in doubt


def test_stable_a_doubt_is_resolved_by_a_normal_fetch_once_the_call_has_landed() -> None:
    forced = an_intent(5, UNKNOWN, call=Call.FORCED)
    assert decided(a_state(a_record(), forced), STABLE) == Wait(NOW + 10)
    forced = an_intent(15, UNKNOWN, call=Call.FORCED)
    assert decided(a_state(a_record(), forced), STABLE) == Fetch(Call.NORMAL, Cause.DOUBT)


def test_stable_a_normal_call_left_open_changes_nothing() -> None:
    record = a_record()
    state = a_state(record, an_intent(60, UNKNOWN, call=Call.NORMAL))
    assert decided(state, STABLE) == Wait(planned_at(record, STABLE))


# ---------------------------------------------------------------------------------- rejections


def test_classic_a_condemned_token_is_replaced_by_one_mint() -> None:
    assert decided(condemned(a_state(a_record()))) == Fetch(Call.CLASSIC, Cause.REJECTED)


def test_stable_a_condemned_token_is_fetched_again_first() -> None:
    state = condemned(a_state(a_record()))
    assert decided(state, STABLE) == Fetch(Call.NORMAL, Cause.REJECTED)


def test_stable_the_same_token_again_is_probed_unless_it_was() -> None:
    """The fetch after the condemnation brought the very same one."""
    state = condemned(a_state(a_record(1)), ago_s=2, probed=False)
    assert isinstance(decided(state, STABLE), Ask)


def test_stable_the_same_token_found_dead_is_forced() -> None:
    state = condemned(a_state(a_record(1)), ago_s=2, probed=True)
    assert decided(state, STABLE) == Fetch(Call.FORCED, Cause.REJECTED)


@pytest.mark.parametrize(
    ("forced_ago_s", "spent_today", "reason"),
    [
        pytest.param(10.0, 1, Reason.FORCED_TOO_SOON, id="within 30 s of the last one"),
        pytest.param(None, 17, Reason.BUDGET_SPENT, id="beyond its budget"),
    ],
)
def test_stable_nothing_is_forced(
    forced_ago_s: float | None, spent_today: int, reason: Reason
) -> None:
    last = None if forced_ago_s is None else NOW - forced_ago_s
    budget = replace(spent(forced=spent_today), last_forced_at=last)
    state = replace(condemned(a_state(a_record(1)), ago_s=2), budget=budget)
    waited = decided(state, STABLE)
    assert isinstance(waited, Wait)
    assert waited.reason is reason


def test_stable_a_token_that_can_t_be_forced_is_fetched_again_after_a_minute() -> None:
    budget = spent(forced=20)
    state = replace(condemned(a_state(a_record(60)), ago_s=61), budget=budget)
    assert decided(state, STABLE) == Fetch(Call.NORMAL, Cause.REJECTED)


# ------------------------------------------------------------------------- a store without past

EMPTIED = SlotState("next life", NOW - 1.0)
HOLDER = replace(ME, held=a_record())


def test_an_emptied_store_is_given_the_held_token_after_one_probe() -> None:
    assert isinstance(decided(EMPTIED, me=HOLDER), Ask)
    assert decided(probed(EMPTIED, 1), me=HOLDER) == Restore(a_record())


def test_a_held_token_found_dead_is_not_given_back() -> None:
    state = probed(replace(EMPTIED, born_at=NOW - 4), 1, Verdict.DEAD)
    assert decided(state, me=HOLDER) == Fetch(Call.CLASSIC, Cause.MISSING)


def test_while_the_probe_is_under_way_nobody_mints() -> None:
    state = probed(replace(EMPTIED, born_at=NOW - 60), 1, None)
    assert decided(state, me=HOLDER) == Wait(NOW + 9, Reason.RESEEDING)


def test_the_highest_fence_wins_also_over_one_restored_before() -> None:
    restored = replace(EMPTIED, record=replace(a_record(700), version="00000000"))
    holder = replace(ME, held=a_record(counter=2))
    assert decided(probed(restored, 1), me=holder) == Restore(a_record(counter=2))
    lower = replace(ME, held=a_record(counter=1))
    assert not isinstance(decided(probed(restored, 1), me=lower), Restore | Ask)


def test_after_the_first_commit_of_a_new_life_nothing_of_the_old_one_comes_back() -> None:
    committed = replace(EMPTIED, committed=True)
    assert not isinstance(decided(probed(committed, 1), me=HOLDER), Restore | Ask)


def test_the_intents_that_others_saw_are_given_back_too() -> None:
    held = a_record()
    holder = replace(HOLDER, held_intents=(an_intent(60),))
    assert decided(replace(EMPTIED, record=held), me=holder) == Restore(held)


# ------------------------------------------------------------------------- failed while it lives


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_stable_token_that_lives_is_fetched_again_when_a_failures_time_has_come(
    kind: FailureKind,
) -> None:
    """A normal fetch ends no token, and tells whether the failure goes on."""
    state = failed(a_state(a_record()), kind, ago_s=600, wait_s=600)
    assert decided(state, STABLE) == Fetch(Call.NORMAL, Cause.PLANNED)


def test_a_failure_that_a_person_must_mend_is_waited_for_and_told() -> None:
    state = failed(a_state(a_record()), FailureKind.OPERATOR, wait_s=600)
    assert decided(state, STABLE) == Wait(NOW + 599, Reason.OPERATOR)


def test_another_secret_is_tried_at_once_after_a_failure() -> None:
    state = failed(a_state(a_record()), FailureKind.OPERATOR, wait_s=600, credential="before")
    assert decided(state, STABLE) == Fetch(Call.NORMAL, Cause.PLANNED)


@pytest.mark.parametrize("policy", [CLASSIC, Policy(ticket=True)])
@pytest.mark.parametrize("kind", list(FailureKind))
def test_what_may_end_a_living_token_or_has_few_calls_is_left_for_its_planned_time(
    policy: Policy, kind: FailureKind
) -> None:
    state = failed(a_state(a_record()), kind, ago_s=600, wait_s=600)
    assert decided(state, policy) == decided(a_state(a_record()), policy)


# --------------------------------------------------------------------------------- on demand


@pytest.mark.parametrize(("mode", "call"), [("stable", Call.FORCED), ("classic", Call.CLASSIC)])
def test_a_rotation_is_a_forced_call_or_a_mint(mode: str, call: Call) -> None:
    state = a_state(a_record())
    action = decide_rotation(state, ME, NOW, policy_of(Mode(mode)))
    assert action == Fetch(call, Cause.ROTATION)


@BOTH_MODES
def test_failures_and_refusals_hold_no_rotation_back(mode: Mode) -> None:
    state = failed(a_state(a_record()), FailureKind.OPERATOR, wait_s=600)
    state = replace(state, refusals=(Refusal("me", 40164, NOW - 1, NOW + 60),))
    assert isinstance(decide_rotation(state, ME, NOW, policy_of(mode)), Fetch)


def test_a_rotation_within_30_s_of_the_last_waits() -> None:
    state = replace(a_state(a_record()), budget=replace(spent(), last_forced_at=NOW - 10))
    assert decide_rotation(state, ME, NOW, STABLE) == Wait(NOW + 20, Reason.FORCED_TOO_SOON)


def test_a_rotation_may_use_what_is_kept_for_people_and_no_more() -> None:
    state = replace(a_state(a_record()), budget=spent(forced=19))
    assert isinstance(decide_rotation(state, ME, NOW, STABLE), Fetch)
    state = replace(state, budget=spent(forced=20))
    waited = decide_rotation(state, ME, NOW, STABLE)
    assert isinstance(waited, Wait)
    assert waited.reason is Reason.BUDGET_SPENT


def test_a_rotation_waits_for_an_open_call_while_the_token_lives() -> None:
    state = a_state(a_record(), an_intent(5))
    assert decide_rotation(state, ME, NOW, CLASSIC) == Wait(NOW + 10, Reason.CALL_MAY_LAND)


# ------------------------------------------------------------------------------ without the store


def test_without_the_store_classic_mints_nothing() -> None:
    assert decide_alone(None, 0.0, NOW, CLASSIC) == Wait(float("inf"))
    assert decide_alone(dying(1), 0.0, NOW, CLASSIC) == Wait(float("inf"))


def test_without_the_store_stable_fetches_what_is_missing() -> None:
    assert decide_alone(None, 0.0, NOW, STABLE) == Fetch(Call.NORMAL, Cause.MISSING)
    assert decide_alone(None, NOW + 3, NOW, STABLE) == Wait(NOW + 3)


def test_without_the_store_stable_renews_at_half_its_lead() -> None:
    """Later than planned, so that a store that comes back finds its work undone."""
    record = dying(130)
    assert record.version == VERSION
    assert isinstance(decide_alone(record, 0.0, NOW, STABLE), Wait)
    assert decide_alone(dying(90), 0.0, NOW, STABLE) == Fetch(Call.NORMAL, Cause.PLANNED)
