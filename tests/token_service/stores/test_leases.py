"""Fences and leases: who may refresh, and under which number."""

from __future__ import annotations

import asyncio

import pytest

from tests.token_service.stores.manual_clock import ManualClock
from tests.token_service.stores.slots import (
    CLASSIC,
    LEASE_S,
    OTHER,
    STABLE,
    begun,
    granted,
    refreshed,
)
from token_service.slot import LeaseLost, SlotState
from token_service.stores.base import TokenStore


async def test_an_unused_slot_reads_as_empty(store: TokenStore, clock: ManualClock) -> None:
    snapshot = await store.snapshot(CLASSIC)
    assert snapshot.now == clock.now()
    assert snapshot.state == SlotState(snapshot.state.generation, clock.now())


async def test_slots_share_the_stores_birth(store: TokenStore, clock: ManualClock) -> None:
    first = await store.snapshot(CLASSIC)
    clock.advance(60)
    again = await store.snapshot(STABLE)
    assert (again.state.generation, again.state.born_at) == (
        first.state.generation,
        first.state.born_at,
    )


async def test_a_grant_shows_the_slot_as_it_was_granted(store: TokenStore) -> None:
    record = await refreshed(store, "token-1")
    grant = await granted(store, "b")
    assert grant.snapshot.state.record == record
    assert grant.snapshot.state.lease == grant.lease
    assert grant.snapshot == await store.snapshot(CLASSIC)


async def test_each_grant_has_a_higher_fence(store: TokenStore) -> None:
    fences = [(await granted(store)).lease.fence for _ in range(3)]
    assert [fence.counter for fence in fences] == [1, 2, 3]
    assert len({fence.generation for fence in fences}) == 1


async def test_a_fence_is_above_the_callers_floor(store: TokenStore) -> None:
    assert (await granted(store, floor=41)).lease.fence.counter == 42


async def test_a_floor_below_the_stores_counter_changes_nothing(store: TokenStore) -> None:
    await granted(store, floor=41)
    assert (await granted(store, floor=7)).lease.fence.counter == 43


async def test_a_lease_excludes_other_holders(store: TokenStore) -> None:
    await granted(store, "a")
    assert await store.acquire(CLASSIC, "b", floor=0, ttl_s=LEASE_S) is None


async def test_a_refused_acquire_spends_no_fence(store: TokenStore) -> None:
    await granted(store, "a")
    await store.acquire(CLASSIC, "b", floor=99, ttl_s=LEASE_S)
    assert (await store.snapshot(CLASSIC)).state.counter == 1


async def test_slots_are_leased_apart(store: TokenStore) -> None:
    await granted(store, "a", slot=CLASSIC)
    assert await store.acquire(STABLE, "b", floor=0, ttl_s=LEASE_S)
    assert await store.acquire(OTHER, "b", floor=0, ttl_s=LEASE_S)


async def test_a_lapsed_lease_goes_to_the_next(store: TokenStore, clock: ManualClock) -> None:
    await granted(store, "a")
    clock.advance(LEASE_S)
    assert (await granted(store, "b")).lease.fence.counter == 2


async def test_a_lease_still_counts_just_before_its_end(
    store: TokenStore, clock: ManualClock
) -> None:
    await granted(store, "a")
    clock.advance(LEASE_S - 0.001)
    assert await store.acquire(CLASSIC, "b", floor=0, ttl_s=LEASE_S) is None


async def test_renewing_prolongs_the_lease(store: TokenStore, clock: ManualClock) -> None:
    lease = (await granted(store, "a")).lease
    clock.advance(10)
    renewed = await store.renew(CLASSIC, lease, ttl_s=LEASE_S)
    assert renewed.expires_at == clock.now() + LEASE_S
    assert (await store.snapshot(CLASSIC)).state.lease == renewed


async def test_a_lapsed_lease_that_nobody_took_can_be_renewed(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store, "a")).lease
    clock.advance(LEASE_S * 2)
    assert (await store.renew(CLASSIC, lease, ttl_s=LEASE_S)).fence == lease.fence


async def test_a_lease_that_was_taken_over_cannot_be_renewed(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store, "a")).lease
    clock.advance(LEASE_S)
    await granted(store, "b")
    with pytest.raises(LeaseLost):
        await store.renew(CLASSIC, lease, ttl_s=LEASE_S)


async def test_a_released_lease_is_free_at_once(store: TokenStore) -> None:
    await store.release(CLASSIC, (await granted(store, "a")).lease)
    assert (await granted(store, "b")).lease.fence.counter == 2


async def test_releasing_anothers_lease_does_nothing(store: TokenStore, clock: ManualClock) -> None:
    old = (await granted(store, "a")).lease
    clock.advance(LEASE_S)
    new = (await granted(store, "b")).lease
    await store.release(CLASSIC, old)
    assert (await store.snapshot(CLASSIC)).state.lease == new


async def test_nothing_is_announced_under_a_lost_lease(
    store: TokenStore, clock: ManualClock
) -> None:
    old = (await granted(store, "a")).lease
    clock.advance(LEASE_S)
    await granted(store, "b")
    with pytest.raises(LeaseLost):
        await begun(store, old)
    state = (await store.snapshot(CLASSIC)).state
    assert (state.intents, state.budget.classic) == ((), 0)


async def test_of_fifty_who_ask_at_once_one_is_granted(store: TokenStore) -> None:
    grants = await asyncio.gather(
        *(store.acquire(CLASSIC, f"h{n}", floor=0, ttl_s=LEASE_S) for n in range(50))
    )
    assert sum(grant is not None for grant in grants) == 1
    assert (await store.snapshot(CLASSIC)).state.counter == 1


async def test_of_many_changes_at_once_none_is_lost(store: TokenStore) -> None:
    grants = await asyncio.gather(*(granted(store, "a") for _ in range(15)))
    assert {grant.lease.fence.counter for grant in grants} == set(range(1, 16))
