"""Calls a day, corrections of drift, and the pause: all shared by the workers on one store."""

from __future__ import annotations

import asyncio

from menu_worker.store.base import DRIFTS_KEPT, Drift, MenuStore
from tests.menu_worker.store.conftest import SHOP, Open
from tests.token_service.stores.manual_clock import START, ManualClock
from zhongkong.wechat.limits import next_reset

CREATE, GET = "/cgi-bin/menu/create", "/cgi-bin/menu/get"


async def test_calls_are_counted_up_to_their_limit(store: MenuStore) -> None:
    assert [await store.spend(SHOP, CREATE, 3) for _ in range(5)] == [True] * 3 + [False] * 2
    assert await store.spent(SHOP) == {CREATE: 3}


async def test_a_limit_of_nothing_allows_nothing(store: MenuStore) -> None:
    assert not await store.spend(SHOP, CREATE, 0)
    assert await store.spent(SHOP) == {}


async def test_a_higher_limit_lets_more_through(store: MenuStore) -> None:
    for _ in range(3):
        await store.spend(SHOP, CREATE, 2)
    assert await store.spend(SHOP, CREATE, 3)
    assert await store.spent(SHOP) == {CREATE: 3}


async def test_each_call_and_each_account_has_its_own_count(store: MenuStore) -> None:
    await store.spend(SHOP, CREATE, 1)
    assert await store.spend(SHOP, GET, 1)
    assert await store.spend("bank", CREATE, 1)
    assert await store.spent(SHOP) == {CREATE: 1, GET: 1}
    assert await store.spent("bank") == {CREATE: 1}


async def test_counting_begins_anew_at_midnight_in_china(
    store: MenuStore, clock: ManualClock
) -> None:
    midnight = next_reset(START)
    clock.advance(midnight - START - 1)
    assert await store.spend(SHOP, CREATE, 1)
    assert await store.spend(SHOP, GET, 1)
    assert not await store.spend(SHOP, CREATE, 1)
    clock.advance(1)
    assert await store.spent(SHOP) == {}
    assert await store.spend(SHOP, CREATE, 1)
    assert await store.spent(SHOP) == {CREATE: 1}


async def test_midnight_elsewhere_changes_nothing(store: MenuStore, clock: ManualClock) -> None:
    assert await store.spend(SHOP, CREATE, 1)
    clock.advance(next_reset(START) - START - 1)
    assert not await store.spend(SHOP, CREATE, 1)


async def test_workers_spend_from_one_quota(open_store: Open) -> None:
    one, other = await open_store(), await open_store()
    spent = await asyncio.gather(
        *(store.spend(SHOP, CREATE, 30) for _ in range(40) for store in (one, other))
    )
    assert sum(spent) == 30
    assert await other.spent(SHOP) == {CREATE: 30}


async def test_corrections_are_remembered_oldest_first(
    store: MenuStore, clock: ManualClock
) -> None:
    assert await store.drifts(SHOP) == ((), START)
    await store.record_drift(SHOP, "red sky")
    clock.advance(60)
    await store.record_drift(SHOP, "blue")
    await store.record_drift("bank", "green")
    clock.advance(60)
    drifts, now = await store.drifts(SHOP)
    assert list(drifts) == [Drift(START, "red sky"), Drift(START + 60, "blue")]
    assert now == START + 120


async def test_only_the_latest_corrections_are_remembered(
    store: MenuStore, clock: ManualClock
) -> None:
    for number in range(DRIFTS_KEPT + 3):
        clock.advance(1)
        await store.record_drift(SHOP, str(number))
    drifts, _ = await store.drifts(SHOP)
    assert [each.fingerprint for each in drifts] == [str(n) for n in range(3, DRIFTS_KEPT + 3)]


async def test_a_pause_is_for_everybody_and_says_who_made_it(open_store: Open) -> None:
    one, other = await open_store(), await open_store()
    await one.pause(SHOP, paused=True, by="王 at the console")
    assert await other.paused(SHOP) == "王 at the console"
    assert await other.paused("bank") is None
    await other.pause(SHOP, paused=False, by="li")
    assert await one.paused(SHOP) is None


async def test_pausing_and_going_on_may_be_repeated(store: MenuStore) -> None:
    assert await store.paused(SHOP) is None
    await store.pause(SHOP, paused=False, by="a")
    await store.pause(SHOP, paused=True, by="a")
    await store.pause(SHOP, paused=True, by="b")
    assert await store.paused(SHOP) == "b"
    await store.pause(SHOP, paused=False, by="c")
    await store.pause(SHOP, paused=False, by="c")
    assert await store.paused(SHOP) is None


async def test_closing_may_be_repeated(store: MenuStore) -> None:
    await store.close()
    await store.close()
