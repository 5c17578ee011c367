"""Giving an emptied store its past back. Each test plays the replica that still holds a record."""

from __future__ import annotations

from dataclasses import replace

from tests.token_service.stores.manual_clock import START, ManualClock
from tests.token_service.stores.slots import CLASSIC, LANDS_S, LIFE_S, begun, granted, refreshed
from token_service.slot import Call, Cause, Fence, Intent, SlotState, TokenRecord
from token_service.stores.base import TokenStore

LOST_LIFE = "an earlier life"


def held(counter: int, value: str = "held") -> TokenRecord:
    return TokenRecord(
        value=value,
        version=f"{counter:024x}",
        issued_at=START - 100,
        expires_at=START - 100 + LIFE_S,
        fetched_at=START - 100,
        fence=Fence(LOST_LIFE, counter),
        call=Call.CLASSIC,
        cause=Cause.PLANNED,
    )


def seen(counter: int) -> Intent:
    fence = Fence(LOST_LIFE, counter)
    return Intent(fence, "dead", Call.CLASSIC, Cause.PLANNED, START - 5, START - 5 + LANDS_S)


async def state_of(store: TokenStore) -> SlotState:
    return (await store.snapshot(CLASSIC)).state


async def test_an_empty_store_takes_a_record_back(store: TokenStore) -> None:
    assert await store.restore(CLASSIC, held(7), (seen(8),))
    state = await state_of(store)
    assert (state.record, state.intents, state.committed) == (held(7), (seen(8),), False)


async def test_the_next_grant_is_above_the_restored_fence(store: TokenStore) -> None:
    await store.restore(CLASSIC, held(7), ())
    assert (await granted(store)).lease.fence.counter == 8


async def test_the_highest_restored_fence_wins(store: TokenStore) -> None:
    assert await store.restore(CLASSIC, held(7), ())
    assert not await store.restore(CLASSIC, held(6), ())
    assert await store.restore(CLASSIC, held(9), ())
    assert (await state_of(store)).record == held(9)


async def test_restoring_twice_is_restoring_once(store: TokenStore) -> None:
    await store.restore(CLASSIC, held(7), (seen(8),))
    before = await state_of(store)
    await store.restore(CLASSIC, held(7), (seen(8),))
    assert await state_of(store) == before


async def test_an_intent_known_already_is_not_doubled(store: TokenStore) -> None:
    await store.restore(CLASSIC, held(7), (seen(9),))
    await store.restore(CLASSIC, held(8), (seen(9), seen(10)))
    assert (await state_of(store)).intents == (seen(9), seen(10))


async def test_an_intent_whose_outcome_is_the_restored_record_says_nothing_more(
    store: TokenStore,
) -> None:
    await store.restore(CLASSIC, held(7), (seen(8),))
    await store.restore(CLASSIC, held(8), (seen(8), seen(9)))
    assert (await state_of(store)).intents == (seen(9),)


async def test_a_second_replica_adds_the_intents_that_the_first_had_not_seen(
    store: TokenStore,
) -> None:
    await store.restore(CLASSIC, held(7), ())
    assert await store.restore(CLASSIC, held(7), (seen(8),))
    assert (await state_of(store)).intents == (seen(8),)


async def test_an_older_mint_never_displaces_a_newer_one_whatever_its_fence(
    store: TokenStore,
) -> None:
    newer = await refreshed(store, "token-1")
    older = replace(
        newer,
        version="2",
        fence=replace(newer.fence, counter=newer.fence.counter + 1),
        fetched_at=newer.fetched_at - 1,
    )
    assert not await store.restore(CLASSIC, older, ())
    assert (await state_of(store)).record == newer


async def test_a_first_commit_ends_restoring(store: TokenStore) -> None:
    record = await refreshed(store, "token-1")
    assert not await store.restore(CLASSIC, held(99), ())
    assert (await state_of(store)).record == record


async def test_a_commit_wins_over_what_was_restored(store: TokenStore) -> None:
    await store.restore(CLASSIC, held(7), ())
    record = await refreshed(store, "token-1", floor=7)
    assert (await state_of(store)).record == record


async def test_a_failed_over_store_takes_back_a_newer_record_of_its_own_life(
    store: TokenStore,
) -> None:
    old = await refreshed(store, "token-1")
    newer = replace(old, value="token-2", version="2", fence=replace(old.fence, counter=5))
    assert await store.restore(CLASSIC, newer, ())
    state = await state_of(store)
    assert (state.record, state.counter) == (newer, 5)


async def test_a_restored_open_intent_is_cleared_like_any_other(
    store: TokenStore, clock: ManualClock
) -> None:
    await store.restore(CLASSIC, held(7), (seen(8),))
    clock.advance(LANDS_S)
    await refreshed(store, "token-1", floor=8)
    assert (await state_of(store)).intents == ()


async def test_restoring_leaves_the_present_lease_alone(store: TokenStore) -> None:
    lease = (await granted(store)).lease
    await begun(store, lease)
    await store.restore(CLASSIC, held(7), ())
    assert (await state_of(store)).lease == lease
