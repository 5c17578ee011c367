"""Leases: one writer of an account at a time, and a fence that only grows."""

from __future__ import annotations

import asyncio

from menu_worker.store.base import Lease, MenuStore
from tests.menu_worker.store.conftest import SHOP, Open
from tests.token_service.stores.manual_clock import ManualClock

TTL_S = 60.0


async def granted(store: MenuStore, instance: str = "a", account: str = SHOP) -> Lease:
    lease = await store.acquire(account, instance, TTL_S)
    assert lease is not None
    return lease


async def test_only_one_holds_the_lease(store: MenuStore) -> None:
    lease = await granted(store)
    assert (lease.account, lease.instance) == (SHOP, "a")
    assert lease.fence > 0
    assert await store.acquire(SHOP, "b", TTL_S) is None
    assert await store.holds(lease, TTL_S)


async def test_every_account_has_its_own(store: MenuStore) -> None:
    await granted(store, "a")
    assert await store.acquire("bank", "b", TTL_S) is not None


async def test_asking_again_renews_ones_own(store: MenuStore, clock: ManualClock) -> None:
    lease = await granted(store)
    clock.advance(TTL_S - 1)
    assert await granted(store) == lease
    clock.advance(TTL_S - 1)
    assert await store.holds(lease, TTL_S)


async def test_it_lapses_and_the_next_grant_has_a_higher_fence(
    store: MenuStore, clock: ManualClock
) -> None:
    lease = await granted(store)
    clock.advance(TTL_S)
    assert not await store.holds(lease, TTL_S)
    assert (await granted(store, "b")).fence > lease.fence


async def test_a_lapsed_lease_of_ones_own_is_granted_anew(
    store: MenuStore, clock: ManualClock
) -> None:
    lease = await granted(store)
    clock.advance(TTL_S)
    again = await granted(store)
    assert again.fence > lease.fence
    assert not await store.holds(lease, TTL_S)
    assert await store.holds(again, TTL_S)


async def test_holding_prolongs(store: MenuStore, clock: ManualClock) -> None:
    lease = await granted(store)
    for _ in range(5):
        clock.advance(TTL_S - 1)
        assert await store.holds(lease, TTL_S)
    assert await store.acquire(SHOP, "b", TTL_S) is None


async def test_a_lost_lease_cant_be_prolonged(store: MenuStore, clock: ManualClock) -> None:
    lost = await granted(store)
    clock.advance(TTL_S)
    held = await granted(store, "b")
    assert not await store.holds(lost, TTL_S)
    assert await store.holds(held, TTL_S)


async def test_released_it_is_free_at_once_and_fences_go_on(store: MenuStore) -> None:
    lease = await granted(store)
    await store.release(lease)
    assert not await store.holds(lease, TTL_S)
    assert (await granted(store, "b")).fence > lease.fence


async def test_a_loser_releases_nothing(store: MenuStore, clock: ManualClock) -> None:
    lost = await granted(store)
    clock.advance(TTL_S)
    held = await granted(store, "b")
    await store.release(lost)
    assert await store.holds(held, TTL_S)
    assert await store.acquire(SHOP, "a", TTL_S) is None


async def test_releasing_twice_or_what_never_was_does_nothing(store: MenuStore) -> None:
    lease = await granted(store)
    await store.release(lease)
    await store.release(lease)
    await store.release(Lease("bank", "a", 7))
    assert (await granted(store)).fence > lease.fence


async def test_of_many_who_ask_at_once_one_is_granted(open_store: Open) -> None:
    one, other = await open_store(), await open_store()
    leases = await asyncio.gather(
        *(
            store.acquire(SHOP, f"{name}-{n}", TTL_S)
            for n in range(20)
            for name, store in (("one", one), ("other", other))
        )
    )
    assert sum(lease is not None for lease in leases) == 1


async def test_a_restart_knows_the_last_fence(open_store: Open) -> None:
    before = await open_store()
    fences = []
    for _ in range(5):
        lease = await granted(before)
        fences.append(lease.fence)
        await before.release(lease)
    await before.close()
    after = await granted(await open_store(), "b")
    assert [*fences, after.fence] == sorted({*fences, after.fence})
