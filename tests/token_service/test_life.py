"""How long a token may be handed out: G1, G4 and the planned refresh, on plain states."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from tests.token_service.states import (
    CLASSIC,
    LIFE_S,
    NOW,
    VERSION,
    a_record,
    a_state,
    an_intent,
    condemned,
    dying,
    policies,
    probed,
    records,
    states,
)
from token_service.life import doubt_of, lead_of, planned_at, usable_until
from token_service.policy import Policy
from token_service.slot import Call, IntentOutcome, SlotState, TokenRecord, Verdict

UNKNOWN, REFUSED, OPEN = IntentOutcome.UNKNOWN, IntentOutcome.REFUSED, IntentOutcome.OPEN


def test_a_sound_token_is_usable_to_its_end() -> None:
    assert usable_until(a_state(dying(500)), NOW, CLASSIC) == NOW + 500


def test_without_a_token_nothing_is_usable() -> None:
    assert usable_until(a_state(), NOW, CLASSIC) == 0


def test_a_condemned_token_is_not_usable() -> None:
    assert usable_until(condemned(a_state(a_record())), NOW, CLASSIC) == 0


@pytest.mark.parametrize("outcome", [UNKNOWN, REFUSED])
def test_a_mint_whose_token_is_lost_puts_the_token_in_doubt_since_its_send(
    outcome: IntentOutcome,
) -> None:
    doubt = doubt_of(a_state(a_record(), an_intent(3, outcome)), NOW)
    assert doubt is not None
    assert doubt.since == NOW - 3


def test_an_open_call_that_may_still_land_is_no_doubt_yet() -> None:
    assert doubt_of(a_state(a_record(), an_intent(14.9)), NOW) is None


def test_an_open_call_that_can_no_longer_land_is_one() -> None:
    assert doubt_of(a_state(a_record(), an_intent(15)), NOW) is not None


def test_a_token_minted_while_another_call_was_open_is_in_doubt_since_its_own_send() -> None:
    doubt = doubt_of(a_state(a_record(2), an_intent(9)), NOW)
    assert doubt is not None
    assert doubt.since == NOW - 2


def test_the_earliest_of_several_grounds_counts() -> None:
    state = a_state(a_record(), an_intent(40, UNKNOWN), an_intent(20, UNKNOWN))
    doubt = doubt_of(state, NOW)
    assert doubt is not None
    assert (doubt.since, doubt.lands_before) == (NOW - 40, NOW - 5)


def test_a_normal_stable_call_kills_nothing_and_is_no_ground() -> None:
    normal = an_intent(100, UNKNOWN, call=Call.NORMAL)
    assert doubt_of(a_state(a_record(), normal), NOW) is None


def test_a_doubted_token_is_usable_to_285_s_after_the_doubts_begin() -> None:
    state = a_state(a_record(), an_intent(100, UNKNOWN))
    assert usable_until(state, NOW, CLASSIC) == NOW - 100 + 285


def test_a_doubt_never_prolongs_a_life() -> None:
    state = a_state(dying(50), an_intent(10, UNKNOWN))
    assert usable_until(state, NOW, CLASSIC) == NOW + 50


def test_a_proof_of_life_prolongs_a_doubted_one_by_10_s() -> None:
    state = a_state(a_record(1000), an_intent(400, UNKNOWN))
    assert usable_until(state, NOW, CLASSIC) < NOW
    assert usable_until(probed(state, 4), NOW, CLASSIC) == NOW + 6


@pytest.mark.parametrize("verdict", [None, Verdict.INCONCLUSIVE])
def test_a_probe_without_an_answer_proves_nothing(verdict: Verdict | None) -> None:
    state = probed(a_state(a_record(1000), an_intent(400, UNKNOWN)), 4, verdict)
    assert usable_until(state, NOW, CLASSIC) < NOW


@given(states, policies)
def test_nothing_is_usable_past_its_own_end(state: SlotState, policy: Policy) -> None:
    usable = usable_until(state, NOW, policy)
    assert state.record is None or usable <= state.record.expires_at


@given(states, policies)
def test_nothing_condemned_or_missing_is_usable(state: SlotState, policy: Policy) -> None:
    if state.condemned is not None or state.record is None:
        assert usable_until(state, NOW, policy) <= NOW


@given(states, policies, st.floats(0, 8000))
def test_a_doubt_begins_no_sooner_than_the_token(
    state: SlotState, policy: Policy, later_s: float
) -> None:
    doubt = doubt_of(state, NOW + later_s)
    if doubt is not None and state.record is not None:
        assert doubt.since >= state.record.fetched_at


@given(records(), policies)
def test_a_planned_lead_is_below_the_overlap_and_half_the_life(
    record: TokenRecord, policy: Policy
) -> None:
    assert 0 < lead_of(record, policy) < policy.overlap_s
    assert lead_of(record, policy) <= (record.expires_at - record.fetched_at) / 2


@given(st.integers(0, 2**32 - 1))
def test_the_jitter_is_a_function_of_the_version(chance: int) -> None:
    record = replace(a_record(), version=f"{chance:08x}cafe")
    share = chance / 2**32
    assert lead_of(record, CLASSIC) == 240 - share * CLASSIC.lead_jitter_s
    assert lead_of(replace(record, value="other"), CLASSIC) == lead_of(record, CLASSIC)


def test_the_planned_refresh_comes_a_lead_before_the_end() -> None:
    record = a_record()
    assert record.version == VERSION
    lead_s = 240 - CLASSIC.lead_jitter_s / 2
    assert planned_at(record, CLASSIC) == NOW - 600 + LIFE_S - lead_s


def test_a_token_fetched_just_now_is_not_fetched_again_at_once() -> None:
    """A stable fetch may bring a token with little left."""
    record = a_record(0, life_s=10)
    assert planned_at(record, CLASSIC) == NOW + CLASSIC.refetch_apart_s
