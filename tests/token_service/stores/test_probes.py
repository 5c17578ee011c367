"""Probes, condemnation and acquittal: what is believed of the current token."""

from __future__ import annotations

import asyncio

from tests.token_service.stores.manual_clock import ManualClock
from tests.token_service.stores.slots import (
    CLASSIC,
    LANDS_S,
    LIFE_S,
    WINDOW_S,
    begun,
    granted,
    refreshed,
)
from token_service.slot import Call, Condemned, Probe, SlotState, Verdict
from token_service.stores.base import TokenStore

OVERLAP_S = 300.0


async def state_of(store: TokenStore) -> SlotState:
    return (await store.snapshot(CLASSIC)).state


async def probed(store: TokenStore, version: str, verdict: Verdict) -> Probe:
    probe, granted_to_us = await store.claim_probe(CLASSIC, version, window_s=WINDOW_S)
    assert granted_to_us
    await store.settle_probe(CLASSIC, probe, verdict)
    return probe


async def test_of_fifty_claims_at_once_one_probes(store: TokenStore) -> None:
    claims = await asyncio.gather(
        *(store.claim_probe(CLASSIC, "v1", window_s=WINDOW_S) for _ in range(50))
    )
    assert sum(ours for _, ours in claims) == 1
    assert len({probe for probe, _ in claims}) == 1


async def test_a_later_claim_in_the_window_gets_the_verdict(store: TokenStore) -> None:
    await probed(store, "v1", Verdict.ALIVE)
    probe, ours = await store.claim_probe(CLASSIC, "v1", window_s=WINDOW_S)
    assert (probe.verdict, ours) == (Verdict.ALIVE, False)


async def test_after_the_window_a_version_is_probed_anew(
    store: TokenStore, clock: ManualClock
) -> None:
    await probed(store, "v1", Verdict.ALIVE)
    clock.advance(WINDOW_S)
    probe, ours = await store.claim_probe(CLASSIC, "v1", window_s=WINDOW_S)
    assert (probe.verdict, ours) == (None, True)


async def test_another_version_is_probed_at_once(store: TokenStore) -> None:
    await probed(store, "v1", Verdict.ALIVE)
    _, ours = await store.claim_probe(CLASSIC, "v2", window_s=WINDOW_S)
    assert ours


async def test_a_dead_probe_condemns_the_current_token(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1")
    await probed(store, record.version, Verdict.DEAD)
    assert (await state_of(store)).condemned == Condemned(clock.now(), probed=True)


async def test_a_dead_probe_of_an_older_token_condemns_nothing(store: TokenStore) -> None:
    old = await refreshed(store, "token-1")
    await refreshed(store, "token-2")
    await probed(store, old.version, Verdict.DEAD)
    assert (await state_of(store)).condemned is None


async def test_an_inconclusive_probe_changes_no_belief(store: TokenStore) -> None:
    record = await refreshed(store, "token-1")
    await store.condemn(CLASSIC, record.version)
    before = await state_of(store)
    await probed(store, record.version, Verdict.INCONCLUSIVE)
    state = await state_of(store)
    assert (state.condemned, state.intents) == (before.condemned, before.intents)


async def test_a_late_settlement_does_not_hide_a_newer_probe(
    store: TokenStore, clock: ManualClock
) -> None:
    late, _ = await store.claim_probe(CLASSIC, "v1", window_s=WINDOW_S)
    clock.advance(WINDOW_S)
    newer = await probed(store, "v1", Verdict.ALIVE)
    await store.settle_probe(CLASSIC, late, Verdict.DEAD)
    probe = (await state_of(store)).probe
    assert probe == Probe("v1", newer.claimed_at, Verdict.ALIVE)


async def test_evidence_condemns_the_current_token_unprobed(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1")
    await store.condemn(CLASSIC, record.version)
    assert (await state_of(store)).condemned == Condemned(clock.now(), probed=False)


async def test_evidence_against_an_older_token_is_no_news(store: TokenStore) -> None:
    old = await refreshed(store, "token-1")
    await refreshed(store, "token-2")
    before = await state_of(store)
    await store.condemn(CLASSIC, old.version)
    assert await state_of(store) == before


async def test_condemning_twice_keeps_the_first_time(store: TokenStore, clock: ManualClock) -> None:
    record = await refreshed(store, "token-1")
    await store.condemn(CLASSIC, record.version)
    before = await state_of(store)
    clock.advance(5)
    await store.condemn(CLASSIC, record.version)
    assert await state_of(store) == before


async def test_a_probe_after_the_condemnation_acquits(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1")
    await store.condemn(CLASSIC, record.version)
    clock.advance(1)
    await probed(store, record.version, Verdict.ALIVE)
    assert (await state_of(store)).condemned is None


async def test_a_probe_before_the_condemnation_does_not_acquit(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1")
    probe, _ = await store.claim_probe(CLASSIC, record.version, window_s=WINDOW_S)
    clock.advance(1)
    await store.condemn(CLASSIC, record.version)
    await store.settle_probe(CLASSIC, probe, Verdict.ALIVE)
    assert (await state_of(store)).condemned is not None


async def test_a_new_token_starts_uncondemned_and_unprobed(store: TokenStore) -> None:
    old = await refreshed(store, "token-1")
    await probed(store, old.version, Verdict.DEAD)
    await refreshed(store, "token-2")
    state = await state_of(store)
    assert (state.condemned, state.probe) == (None, None)


async def test_the_same_token_fetched_again_stays_condemned(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1", call=Call.NORMAL)
    await store.condemn(CLASSIC, record.version)
    clock.advance(1)
    await refreshed(store, "token-1", call=Call.NORMAL)
    assert (await state_of(store)).condemned is not None


async def test_a_live_token_that_died_by_no_hand_of_ours_is_a_foreign_refresh(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1")
    await store.condemn(CLASSIC, record.version)
    await probed(store, record.version, Verdict.DEAD)
    foreign = (await state_of(store)).foreign
    assert (foreign.count, foreign.last_at) == (1, clock.now())


async def test_a_token_that_ran_out_was_not_refreshed_by_others(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1")
    clock.advance(LIFE_S)
    await store.condemn(CLASSIC, record.version)
    assert (await state_of(store)).foreign.count == 0


async def test_a_token_in_doubt_was_not_refreshed_by_others(store: TokenStore) -> None:
    record = await refreshed(store, "token-1")
    await begun(store, (await granted(store, "dead")).lease)
    await store.condemn(CLASSIC, record.version)
    assert (await state_of(store)).foreign.count == 0


async def test_a_token_alive_long_after_a_call_could_land_ends_the_doubt(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1")
    await begun(store, (await granted(store, "dead")).lease)
    clock.advance(LANDS_S + OVERLAP_S)
    await probed(store, record.version, Verdict.ALIVE)
    assert (await state_of(store)).intents == ()


async def test_a_token_alive_within_the_overlap_stays_in_doubt(
    store: TokenStore, clock: ManualClock
) -> None:
    record = await refreshed(store, "token-1")
    open_one = await begun(store, (await granted(store, "dead")).lease)
    clock.advance(LANDS_S + OVERLAP_S - 1)
    await probed(store, record.version, Verdict.ALIVE)
    assert (await state_of(store)).intents == (open_one,)
