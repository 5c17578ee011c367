"""The change feed and the list of live replicas."""

from __future__ import annotations

import asyncio

from tests.token_service.stores.manual_clock import ManualClock
from tests.token_service.stores.slots import CLASSIC, OTHER, STABLE, granted, refreshed
from token_service.slot import Changes
from token_service.stores.base import TokenStore

PATIENCE_S = 5.0
ALL = (CLASSIC, STABLE, OTHER)


async def cursor_of(store: TokenStore) -> str:
    """Read every slot, as a replica does at its start, and stand at the end of the feed."""
    for slot in ALL:
        await store.snapshot(slot)
    return (await store.changes(None, wait_s=0)).cursor


async def test_without_a_change_the_feed_is_silent(store: TokenStore) -> None:
    cursor = await cursor_of(store)
    assert await store.changes(cursor, wait_s=0) == Changes(cursor, frozenset())


async def test_a_new_cursor_skips_what_was_before(store: TokenStore) -> None:
    await refreshed(store, "token-1")
    cursor = await cursor_of(store)
    assert (await store.changes(cursor, wait_s=0)).slots == frozenset()


async def test_a_change_is_seen_once(store: TokenStore) -> None:
    cursor = await cursor_of(store)
    await granted(store, slot=STABLE)
    seen = await store.changes(cursor, wait_s=PATIENCE_S)
    assert (seen.slots, seen.reset) == (frozenset({STABLE}), False)
    assert (await store.changes(seen.cursor, wait_s=0)).slots == frozenset()


async def test_an_old_cursor_sees_its_changes_again(store: TokenStore) -> None:
    cursor = await cursor_of(store)
    await granted(store, slot=STABLE)
    assert await store.changes(cursor, wait_s=0) == await store.changes(cursor, wait_s=0)


async def test_many_changes_are_reported_together(store: TokenStore) -> None:
    cursor = await cursor_of(store)
    for slot in (CLASSIC, OTHER, CLASSIC):
        await granted(store, slot=slot)
    seen = await store.changes(cursor, wait_s=PATIENCE_S)
    assert seen.slots == frozenset({CLASSIC, OTHER})


async def test_a_waiting_reader_wakes_for_a_change(store: TokenStore) -> None:
    cursor = await cursor_of(store)
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(store.changes(cursor, wait_s=PATIENCE_S))
        await asyncio.sleep(0)
        await granted(store, slot=OTHER)
    assert reader.result().slots == frozenset({OTHER})


async def test_a_reading_leaves_no_change(store: TokenStore) -> None:
    cursor = await cursor_of(store)
    await store.snapshot(CLASSIC)
    await store.heartbeat("a", ttl_s=10)
    assert (await store.changes(cursor, wait_s=0)).slots == frozenset()


async def test_an_operation_that_changes_nothing_is_no_change(store: TokenStore) -> None:
    lease = (await granted(store)).lease
    await store.release(CLASSIC, lease)
    cursor = await cursor_of(store)
    await store.release(CLASSIC, lease)
    await store.condemn(CLASSIC, "no such version")
    assert (await store.changes(cursor, wait_s=0)).slots == frozenset()


async def test_a_change_between_first_reading_and_first_cursor_read_is_not_missed(
    store: TokenStore,
) -> None:
    cursor = (await store.changes(None, wait_s=0)).cursor
    await store.snapshot(CLASSIC)
    await granted(store, slot=CLASSIC)
    seen = await store.changes(cursor, wait_s=PATIENCE_S)
    assert CLASSIC in seen.slots


async def test_live_replicas_are_named(store: TokenStore) -> None:
    assert await store.heartbeat("a", ttl_s=10) == {"a"}
    assert await store.heartbeat("b", ttl_s=10) == {"a", "b"}


async def test_a_silent_replica_is_dropped(store: TokenStore, clock: ManualClock) -> None:
    await store.heartbeat("a", ttl_s=10)
    clock.advance(6)
    await store.heartbeat("b", ttl_s=10)
    clock.advance(4)
    assert await store.heartbeat("b", ttl_s=10) == {"b"}


async def test_a_heartbeat_prolongs(store: TokenStore, clock: ManualClock) -> None:
    for _ in range(3):
        await store.heartbeat("a", ttl_s=10)
        clock.advance(8)
    assert await store.heartbeat("b", ttl_s=10) == {"a", "b"}


async def test_a_replica_may_sign_off(store: TokenStore) -> None:
    await store.heartbeat("a", ttl_s=10)
    await store.heartbeat("b", ttl_s=10)
    assert await store.heartbeat("a", ttl_s=0) == {"b"}


async def test_closing_may_be_repeated(store: TokenStore) -> None:
    await store.close()
    await store.close()
