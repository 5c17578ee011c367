"""One store copied into another, between all sorts of stores, and whatever goes wrong meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.redis import RedisServer
from tests.token_service.stores.conftest import KEY, redis_store, sqlite_store
from tests.token_service.stores.copy_world import (
    FAILURE,
    PAIRS,
    World,
    a_past,
    opened_world,
    state_of,
)
from tests.token_service.stores.manual_clock import START, ManualClock
from tests.token_service.stores.slots import (
    CLASSIC,
    LANDS_S,
    LEASE_S,
    OTHER,
    STABLE,
    begun,
    granted,
    minted,
    refreshed,
)
from token_service.freeze import HOLD_S, Way
from token_service.slot import (
    Call,
    IntentOutcome,
    Kind,
    Mode,
    Slot,
    SlotState,
)
from token_service.stores import copy_hold
from token_service.stores.codec import SealedRecord, Sealer
from token_service.stores.copy_hold import CopyRefused
from token_service.stores.copying import Copied
from token_service.stores.memory import MemoryTokenStore
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.storage import StoreUnavailable

DOUBT_ENDS = START + 285.0
"""A token of the past that is copied is in doubt, and may end so soon."""
BETWEEN_ALL = pytest.mark.parametrize("world", PAIRS, indirect=True, ids="-".join)


@pytest.fixture
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[World]:
    async with opened_world(request, tmp_path, clock) as world:
        yield world


@BETWEEN_ALL
async def test_everything_that_was_learnt_goes_over(world: World) -> None:
    await a_past(world.source)

    copied = await world.run()

    assert copied == Copied(3, 2, calls=1, revocations=1, first_end=DOUBT_ENDS)
    assert await world.target.slots() == {CLASSIC, STABLE, OTHER}
    for slot in (CLASSIC, STABLE, OTHER):
        there, here = await state_of(world.target, slot), await state_of(world.source, slot)
        assert there == replace(
            here,
            generation=there.generation,
            born_at=there.born_at,
            committed=here.record is not None,
            refusals=(),
            frozen=None,
        )
    assert (await state_of(world.target, STABLE)).condemned is not None
    assert (await state_of(world.target)).intents[0].outcome is IntentOutcome.UNKNOWN
    assert (await state_of(world.target)).budget.classic == 2
    assert (await state_of(world.target, OTHER)).failure == FAILURE
    assert await world.target.revocations() == {"orders": START + 0.123456789}


@BETWEEN_ALL
async def test_afterwards_the_target_alone_grants_and_above_all_that_was_granted(
    world: World,
) -> None:
    await a_past(world.source)
    highest = (await state_of(world.source)).counter
    await world.run()

    world.clock.advance(HOLD_S * 1000)
    assert await world.source.acquire(CLASSIC, "old", floor=0, ttl_s=LEASE_S) is None
    grant = await granted(world.target, "new")
    assert grant.lease.fence.counter == highest + 1 == 43
    assert grant.lease.fence.generation == (await state_of(world.target)).generation


@BETWEEN_ALL
async def test_a_replica_that_waits_at_the_target_hears_of_the_copy(world: World) -> None:
    await refreshed(world.source, "token-1")
    await world.target.snapshot(CLASSIC)
    cursor = (await world.target.changes(None, wait_s=0)).cursor
    await world.run()
    assert (await world.target.changes(cursor, wait_s=1)).slots == {CLASSIC}


async def test_what_is_written_is_sealed_with_the_services_own_keys(
    redis_server: RedisServer, tmp_path: Path, clock: ManualClock
) -> None:
    source = await sqlite_store(tmp_path / "plain.db", clock, Sealer())
    target = await redis_store(redis_server.url, clock, Sealer([KEY]))
    record = await refreshed(source, "a token that nobody may read at rest")
    await World(source, target).run()
    assert (await state_of(target)).record == record
    with redis_server.client() as client:
        shards = [key for key in client.scan_iter() if client.type(key) == b"hash"]
        stored = b"".join(value for key in shards for value in client.hvals(key))
    assert record.version.encode() in stored
    assert record.value.encode() not in stored
    for store in (source, target):
        await store.close()


async def test_an_empty_store_may_be_copied(world: World) -> None:
    assert await world.run() == Copied(0, 0, 0, 0, None)
    assert await world.source_is_frozen()
    assert not await world.target_is_frozen()


async def test_a_call_under_way_ends_first_and_its_token_goes_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refreshed(world.source, "token-1")
    lease = (await granted(world.source)).lease
    intent = await begun(world.source, lease)
    record = minted(lease, intent, "token-2")
    sleep = world.clock.sleep

    async def lands(seconds: float) -> None:
        assert await world.source_is_frozen()
        assert await world.target.slots() == frozenset()
        await world.source.commit(CLASSIC, lease, record)
        await sleep(seconds)

    monkeypatch.setattr(world.clock, "sleep", lands)
    copied = await world.run()

    assert copied.calls == 0
    assert (await state_of(world.target)).record == record


async def test_what_a_dead_holder_began_goes_over_as_an_open_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await refreshed(world.source, "token-1")
    intent = await begun(world.source, (await granted(world.source)).lease)

    async def passes(seconds: float) -> None:
        world.clock.advance(max(seconds, 1.0))

    monkeypatch.setattr(world.clock, "sleep", passes)
    assert (await world.run()).calls == 1

    state = await state_of(world.target)
    assert (state.record, state.intents, state.lease) == (record, (intent,), None)
    assert world.clock.now() - START == pytest.approx(LEASE_S)
    assert intent.lands_before == START + LANDS_S


async def test_a_call_that_does_not_end_is_no_reason_to_copy_half_of_it(world: World) -> None:
    await granted(world.source)
    with pytest.raises(CopyRefused, match=f"does not end .*{CLASSIC}"):
        await world.run()
    assert not await world.source_is_frozen()
    assert not await world.target_is_frozen()


@BETWEEN_ALL
async def test_a_target_with_tokens_is_refused_before_anything_is_frozen(world: World) -> None:
    await refreshed(world.source, "token-1")
    theirs = await refreshed(world.target, "token-9", slot=OTHER)
    with pytest.raises(CopyRefused, match=f"holds tokens already .*{OTHER}"):
        await world.run()
    assert not await world.source_is_frozen()
    assert not await world.target_is_frozen()
    assert await world.target.slots() == {OTHER}
    assert (await state_of(world.target, OTHER)).record == theirs


@pytest.mark.parametrize("apart_s", [-3.0, 3.0])
async def test_clocks_that_disagree_would_prolong_or_shorten_lives(apart_s: float) -> None:
    clocks = ManualClock(), ManualClock()
    clocks[1].advance(10 + apart_s)
    clocks[0].advance(10)
    source, target = (MemoryTokenStore(clock, SystemRandomness()) for clock in clocks)
    await refreshed(source, "token-1")
    with pytest.raises(CopyRefused, match="3 s apart"):
        await World(source, target).run()
    assert await target.slots() == frozenset()


def breaks_after(count: int, method: Any, error: BaseException | type[BaseException]) -> Any:
    """The method, which works so many times and fails from then on."""
    calls = 0

    async def tried(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > count:
            raise error
        return await method(*args, **options)

    return tried


def half_of(take_over: Any) -> Any:
    """One slot is written, then the store is away."""
    landed = asyncio.Event()

    async def tried(slot: Slot, *rest: Any) -> SlotState | None:
        if slot != CLASSIC:
            await landed.wait()
            raise StoreUnavailable("away")
        taken: SlotState | None = await take_over(slot, *rest)
        landed.set()
        return taken

    return tried


@BETWEEN_ALL
async def test_a_copy_that_breaks_off_thaws_the_source_and_leaves_a_half_that_nobody_believes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)
    with monkeypatch.context() as broken:
        broken.setattr(world.target, "take_over", half_of(world.target.take_over))
        with pytest.raises(StoreUnavailable):
            await world.run()

    assert not await world.source_is_frozen()
    assert await world.target_is_frozen()
    assert await world.target.slots() == {CLASSIC}
    world.clock.advance(HOLD_S * 1000)
    for slot in (CLASSIC, STABLE, OTHER):
        assert await world.target.acquire(slot, "new", floor=0, ttl_s=LEASE_S) is None

    newer = await refreshed(world.source, "token-3")
    assert (await world.run("copy-2")).slots == 3
    assert (await state_of(world.target)).record == newer
    assert not await world.target_is_frozen()


@pytest.mark.parametrize("method", ["slots", "snapshot", "take_over", "revoke", "revocations"])
async def test_whatever_fails_on_either_side_the_source_mints_on(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    await a_past(world.source)
    for store in (world.source, world.target):
        with monkeypatch.context() as broken:
            away = breaks_after(0, None, StoreUnavailable("away"))
            broken.setattr(store, method, away)
            copy = world.copy()
            if store is world.target or method in {"slots", "snapshot", "revocations"}:
                with pytest.raises(StoreUnavailable):
                    await copy.run()
        assert not await world.source_is_frozen()
        await granted(world.source)
        world.clock.advance(LEASE_S)


async def test_a_copy_that_is_cut_off_clears_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)
    revoke = world.target.revoke
    copying = asyncio.ensure_future(world.run())

    async def cut_off(*args: Any) -> float:
        copying.cancel()
        return await revoke(*args)

    monkeypatch.setattr(world.target, "revoke", cut_off)
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert not await world.source_is_frozen()
    assert await world.target_is_frozen()
    assert (await world.run("copy-2")).slots == 3


async def test_after_a_kill_the_source_thaws_by_itself_and_the_copy_may_be_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)

    async def killed(_hold: object) -> None:
        """Nothing is cleared up by a dead process."""

    with monkeypatch.context() as broken:
        broken.setattr(copy_hold.Hold, "_let_go", killed)
        broken.setattr(
            world.target, "take_over", breaks_after(1, world.target.take_over, RuntimeError)
        )
        with pytest.raises(RuntimeError):
            await world.run()

    assert await world.source_is_frozen()
    with pytest.raises(CopyRefused, match=r"held by another copy .* within 60 s"):
        await world.run("copy-2")
    world.clock.advance(HOLD_S)
    assert not await world.source_is_frozen()
    assert (await world.run("copy-3")).slots == 3


async def test_a_repeated_copy_says_that_it_stands_and_writes_nothing(world: World) -> None:
    await a_past(world.source)
    first = await world.run()
    newer = await refreshed(world.target, "token-9")

    again = await world.run("copy-2")

    assert again == replace(first, again=True)
    assert (await state_of(world.target)).record == newer
    assert await world.source_is_frozen()
    assert not await world.target_is_frozen()


async def test_a_copy_whose_last_step_failed_goes_on_from_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)
    with monkeypatch.context() as broken:
        broken.setattr(world.target, "thaw", breaks_after(0, None, StoreUnavailable("away")))
        with pytest.raises(CopyRefused, match=r"the last step failed: away\. Repeat"):
            await world.run()
    assert await world.source_is_frozen()
    assert await world.target_is_frozen()

    assert (await world.run("copy-2")).again is False
    assert await world.source_is_frozen()
    assert not await world.target_is_frozen()


async def test_a_repetition_that_fails_leaves_the_source_sealed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)
    with monkeypatch.context() as broken:
        broken.setattr(world.target, "thaw", breaks_after(0, None, StoreUnavailable("away")))
        with pytest.raises(CopyRefused):
            await world.run()
    assert isinstance(world.target, MemoryTokenStore)
    world.target.empty()
    with monkeypatch.context() as broken:
        broken.setattr(world.target, "take_over", breaks_after(0, None, StoreUnavailable("away")))
        with pytest.raises(StoreUnavailable):
            await world.run()
    world.clock.advance(HOLD_S * 1000)
    assert await world.source_is_frozen()


async def test_a_target_that_was_emptied_after_the_copy_is_filled_again(world: World) -> None:
    await a_past(world.source)
    await world.run()
    assert isinstance(world.target, MemoryTokenStore)
    world.target.empty()
    assert await world.run("copy-2") == Copied(3, 2, 1, 1, DOUBT_ENDS)


async def test_a_store_is_copied_to_one_place_only(world: World, clock: ManualClock) -> None:
    await a_past(world.source)
    await world.run()
    world.target = MemoryTokenStore(clock, SystemRandomness())
    with pytest.raises(CopyRefused, match="was copied to the new one already"):
        await world.copy("copy-2", to="yet another one").run()
    await world.source.take_back()
    assert (await world.copy("copy-2", to="yet another one").run()).slots == 3


async def test_a_half_filled_store_is_not_copied_on(world: World) -> None:
    await world.source.freeze("copy-0", Way.IN, "an older one")
    world.clock.advance(HOLD_S)
    with pytest.raises(CopyRefused, match="never filled to the end"):
        await world.run()


async def test_a_store_that_was_copied_away_is_no_target(world: World) -> None:
    await world.target.freeze("copy-0", Way.OUT, "a third one")
    with pytest.raises(CopyRefused, match="was itself copied to a third one"):
        await world.run()
    assert not await world.source_is_frozen()


@BETWEEN_ALL
async def test_of_two_copies_at_once_one_is_refused(world: World) -> None:
    await a_past(world.source)
    outcomes = await asyncio.gather(
        world.run("copy-1"), world.run("copy-2"), return_exceptions=True
    )
    refused = [each for each in outcomes if isinstance(each, CopyRefused)]
    done = [each for each in outcomes if isinstance(each, Copied)]
    assert (len(refused), len(done)) == (1, 1)
    assert await world.source_is_frozen()
    assert not await world.target_is_frozen()


async def test_two_sources_do_not_mix_in_one_target(world: World, clock: ManualClock) -> None:
    await refreshed(world.source, "token-1")
    await world.target.freeze("copy-0", Way.IN, "another one")
    await world.target.take_over(OTHER, SlotState("life", START, 1), "copy-0")
    await world.target.let_go("copy-0")
    with pytest.raises(CopyRefused, match=f"holds tokens already .*{OTHER}"):
        await world.run()


async def test_a_store_is_not_copied_into_itself(
    redis_server: RedisServer, clock: ManualClock
) -> None:
    """Under two names that say nothing of it."""
    names = (redis_server.url, redis_server.url.replace("127.0.0.1", "localhost"))
    stores = [await redis_store(name, clock, Sealer()) for name in names]
    world = World(stores[0], stores[1])
    with pytest.raises(CopyRefused, match="is held by another copy"):
        await world.run()
    assert not await world.source_is_frozen()
    await refreshed(stores[0], "token-1")
    with pytest.raises(CopyRefused, match="holds tokens already"):
        await world.run()
    for store in stores:
        await store.close()


async def test_what_a_probe_finds_during_the_copy_goes_over_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await refreshed(world.source, "token-1")
    take_over = world.target.take_over

    async def condemned_meanwhile(*args: Any) -> SlotState | None:
        taken = await take_over(*args)
        await world.source.condemn(CLASSIC, record.version)
        return taken

    monkeypatch.setattr(world.target, "take_over", condemned_meanwhile)
    await world.run()
    assert (await state_of(world.target)).condemned is not None


async def test_a_revocation_of_the_last_moment_goes_over_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)
    seal = world.source.seal

    async def revoked_meanwhile(copy: str) -> bool:
        await world.source.revoke("orders", START + 9)
        return await seal(copy)

    monkeypatch.setattr(world.source, "seal", revoked_meanwhile)
    await world.run()
    assert await world.target.revocations() == {"orders": START + 9}


async def test_a_repeated_copy_takes_later_revocations_along(world: World) -> None:
    await a_past(world.source)
    await world.run()
    await world.source.revoke("orders", START + 9)
    assert (await world.run("copy-2")).again
    assert await world.target.revocations() == {"orders": START + 9}


async def test_a_service_that_was_let_loose_on_the_half_filled_target_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)
    take_over = world.target.take_over

    async def used_meanwhile(*args: Any) -> SlotState | None:
        await world.target.take_back()
        return await take_over(*args)

    monkeypatch.setattr(world.target, "take_over", used_meanwhile)
    with pytest.raises(CopyRefused, match="used by somebody else"):
        await world.run()
    assert not await world.source_is_frozen()


async def test_a_thaw_during_the_copy_voids_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)
    revoke = world.target.revoke

    async def thawed_meanwhile(*args: Any) -> float:
        await world.source.take_back()
        return await revoke(*args)

    monkeypatch.setattr(world.target, "revoke", thawed_meanwhile)
    with pytest.raises(CopyRefused, match="the freeze was lifted"):
        await world.run()
    assert not await world.source_is_frozen()
    assert await world.target_is_frozen()


async def test_a_target_that_loses_writes_is_found_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_past(world.source)
    take_over = world.target.take_over

    async def lost(slot: Slot, given: SlotState, name: str) -> SlotState | None:
        taken = await take_over(slot, given, name)
        assert isinstance(world.target, MemoryTokenStore)
        if slot == OTHER:
            del world.target._states[slot]
        return taken

    monkeypatch.setattr(world.target, "take_over", lost)
    with pytest.raises(CopyRefused, match=f"does not give back what was written .*{OTHER}"):
        await world.run()
    assert not await world.source_is_frozen()


async def test_one_unreadable_slot_stops_the_whole_copy(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "old.db"
    source = await sqlite_store(path, clock, Sealer([KEY]))
    await a_past(source)
    await source.close()
    source = await sqlite_store(path, clock, Sealer(["another key, which is long enough too"]))
    world = World(source, MemoryTokenStore(clock, SystemRandomness()))
    with pytest.raises(SealedRecord, match="encryption_keys"):
        await world.run()
    assert not await world.source_is_frozen()
    await source.close()


async def test_a_long_copy_stays_frozen_at_both_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = [Slot(f"wx{n:016x}", Kind.ACCESS_TOKEN, Mode.STABLE) for n in range(200)]
    for slot in slots:
        await refreshed(world.source, f"token of {slot}", slot=slot, call=Call.NORMAL)
    take_over = world.target.take_over

    async def slowly(*args: Any) -> SlotState | None:
        world.clock.advance(0.5)
        assert await world.source_is_frozen()
        assert await world.target_is_frozen()
        return await take_over(*args)

    monkeypatch.setattr(world.target, "take_over", slowly)
    assert (await world.run()).tokens == 200
    assert world.clock.now() - START >= 100.0
