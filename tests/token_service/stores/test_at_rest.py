"""What outlives a process: content, generation, secrecy, and what is done about lost keys."""

from __future__ import annotations

import pytest

from tests.token_service.stores.conftest import KEY, Place
from tests.token_service.stores.manual_clock import ManualClock
from tests.token_service.stores.slots import (
    CLASSIC,
    LEASE_S,
    OTHER,
    begun,
    granted,
    refreshed,
)
from token_service.stores.codec import SealedRecord

NEW_KEY = "the key that follows it, which is long enough too"
VALUE = "81_a-token-value-that-nobody-else-may-read"


async def test_all_of_a_slot_outlives_the_process(place: Place) -> None:
    store = await place.open(KEY)
    await refreshed(store, VALUE)
    before = (await store.snapshot(CLASSIC)).state
    store = await place.open(KEY)
    assert (await store.snapshot(CLASSIC)).state == before


async def test_an_intent_outlives_the_process(place: Place) -> None:
    store = await place.open(KEY)
    intent = await begun(store, (await granted(store)).lease)
    store = await place.open(KEY)
    assert (await store.snapshot(CLASSIC)).state.intents == (intent,)


async def test_a_restart_begins_no_new_generation(place: Place, clock: ManualClock) -> None:
    store = await place.open(KEY)
    before = (await store.snapshot(CLASSIC)).state
    clock.advance(3600)
    store = await place.open(KEY)
    assert (await store.snapshot(CLASSIC)).state == before


async def test_a_cursor_outlives_the_process(place: Place) -> None:
    store = await place.open(KEY)
    await store.snapshot(CLASSIC)
    cursor = (await store.changes(None, wait_s=0)).cursor
    await refreshed(store, VALUE)
    store = await place.open(KEY)
    seen = await store.changes(cursor, wait_s=0)
    assert (seen.slots, seen.reset) == (frozenset({CLASSIC}), False)


async def test_stored_bytes_never_contain_the_token(place: Place) -> None:
    store = await place.open(KEY)
    await refreshed(store, VALUE)
    await refreshed(store, VALUE, holder="b")
    content = place.content()
    assert b"access_token" in content or b"token_near_expiry" in content
    assert VALUE.encode() not in content


async def test_without_keys_the_token_is_stored_plain(place: Place) -> None:
    store = await place.open()
    await refreshed(store, VALUE)
    assert VALUE.encode() in place.content()


async def test_a_token_stored_plain_is_read_and_then_sealed_once_there_is_a_key(
    place: Place,
) -> None:
    await refreshed(await place.open(), VALUE)
    store = await place.open(KEY)
    record = (await store.snapshot(CLASSIC)).state.record
    assert record is not None
    assert record.value == VALUE


async def test_a_token_is_readable_through_a_key_rotation(place: Place) -> None:
    record = await refreshed(await place.open(KEY), VALUE)
    store = await place.open(NEW_KEY, KEY)
    assert (await store.snapshot(CLASSIC)).state.record == record
    newer = await refreshed(store, "the next token")
    store = await place.open(NEW_KEY)
    assert (await store.snapshot(CLASSIC)).state.record == newer


async def test_a_slot_without_its_key_is_not_taken_for_empty(place: Place) -> None:
    await refreshed(await place.open(KEY), VALUE)
    store = await place.open(NEW_KEY)
    with pytest.raises(SealedRecord, match="put the key that it was written with back"):
        await store.snapshot(CLASSIC)
    with pytest.raises(SealedRecord):
        await store.acquire(CLASSIC, "a", floor=0, ttl_s=LEASE_S)


async def test_a_slot_without_its_key_leaves_the_others_alone(place: Place) -> None:
    await refreshed(await place.open(KEY), VALUE)
    store = await place.open(NEW_KEY)
    record = await refreshed(store, "another account's", slot=OTHER)
    assert (await store.snapshot(OTHER)).state.record == record


async def test_a_slot_is_back_once_its_key_is(place: Place) -> None:
    record = await refreshed(await place.open(KEY), VALUE)
    await place.open(NEW_KEY)
    store = await place.open(NEW_KEY, KEY)
    assert (await store.snapshot(CLASSIC)).state.record == record
