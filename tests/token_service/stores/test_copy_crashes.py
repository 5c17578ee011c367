"""A process that dies at any step of a copy, and what both stores grant from then on.

A step is one transaction, of Redis one script on one of its shards. Both services go on wherever
they may, and the copy is repeated: never may both mint, and nothing that either learnt is lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.redis import RedisServer
from tests.token_service.stores.copy_world import World, a_past, opened_world, state_of
from tests.token_service.stores.manual_clock import ManualClock
from tests.token_service.stores.slots import CLASSIC, LEASE_S, OTHER, STABLE, refreshed
from token_service.freeze import HOLD_S, stands
from token_service.slot import Call, Slot, TokenRecord
from token_service.stores.memory import MemoryTokenStore
from token_service.stores.movable import MovableTokenStore
from token_service.stores.redis import RedisTokenStore
from zhongkong.runtime.clock import SystemRandomness

CALLS = {CLASSIC: Call.CLASSIC, STABLE: Call.NORMAL, OTHER: Call.NORMAL}
STEPS = (
    "snapshot", "slots", "freeze_read", "revoke", "revocations", "_update", "_update_freeze",
)  # fmt: skip
EVERY_OF_REDIS = 13
"""So many steps apart does a process die there: each of its copies has about 300."""


@pytest.fixture
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[World]:
    async with opened_world(request, tmp_path, clock) as world:
        yield world


def in_memory() -> World:
    clock = ManualClock()
    stores = [MemoryTokenStore(clock, SystemRandomness()) for _ in range(2)]
    world = World(stores[0], stores[1])
    world.clock = clock
    return world


class Killed(BaseException):
    """The process is dead: it does nothing any more, and clears up nothing."""


class Life:
    """Of one process: it ends at that step, before or after the step takes effect."""

    def __init__(self, last_step: float, *, effect: bool = False) -> None:
        self.steps = 0
        self._last_step = last_step
        self._effect = effect

    def lead(self, world: World, patch: pytest.MonkeyPatch) -> None:
        """Whatever is done to either store is a step of this life."""
        for store in (world.source, world.target):
            if isinstance(store, RedisTokenStore):
                patch.setattr(store._connection, "run", self._lived(store._connection.run))
            else:
                for step in STEPS:
                    patch.setattr(store, step, self._lived(getattr(store, step)))

    def _lived(self, step: Callable[..., Any]) -> Callable[..., Any]:
        async def lived(*arguments: Any, **options: Any) -> Any:
            self.steps += 1
            if self.steps > self._last_step or (self.steps == self._last_step and not self._effect):
                raise Killed
            result = await step(*arguments, **options)
            if self.steps >= self._last_step:
                raise Killed
            return result

        return lived


async def copied(world: World, life: Life, name: str = "copy-1") -> bool:
    """Copy as a process of this life; False when it died."""
    with pytest.MonkeyPatch.context() as patch:
        life.lead(world, patch)
        try:
            await world.run(name)
        except (Killed, BaseExceptionGroup):
            return False
    return True


async def may_mint(world: World, slot: Slot) -> list[MovableTokenStore]:
    """The stores that let it. Nobody starts on a target before something was copied there."""
    may = []
    for store in (world.source, world.target):
        seen = await store.snapshot(slot)
        begun = store is world.source or seen.state.counter > 0
        may += [store] if begun and not stands(seen.state.frozen, seen.now) else []
    return may


async def go_on(world: World) -> dict[Slot, TokenRecord]:
    """Both services fetch wherever they may, now and later; what is newest then."""
    newest: dict[Slot, TokenRecord] = {}
    for wait_s in (0.0, LEASE_S, HOLD_S, HOLD_S * 1000):
        world.clock.advance(wait_s)
        for slot, call in CALLS.items():
            stores = await may_mint(world, slot)
            assert len(stores) < 2, f"both may mint {slot} {wait_s} s later"
            for store in stores:
                value = f"token of {world.clock.now()}"
                newest[slot] = await refreshed(store, value, slot=slot, call=call)
    return newest


async def survives(world: World, *lives: Life) -> None:
    """However many processes died over it, a last one brings the copy to its end."""
    await a_past(world.source)
    world.clock.advance(LEASE_S)
    known: dict[Slot, TokenRecord] = {}
    for number, life in enumerate(lives, 1):
        if await copied(world, life, f"copy-{number}"):
            break
        known |= await go_on(world)
    before = {slot: await state_of(world.source, slot) for slot in CALLS}
    await world.run("copy-last")
    assert await world.source_is_frozen()
    assert not await world.target_is_frozen()
    for slot, state in before.items():
        there = await state_of(world.target, slot)
        assert there.counter >= state.counter
        assert there.record == known.get(slot, state.record)
    await go_on(world)
    assert await world.source_is_frozen()


async def steps_of_a_copy(world: World) -> int:
    await a_past(world.source)
    life = Life(float("inf"))
    assert await copied(world, life)
    return life.steps


@pytest.mark.parametrize("effect", [False, True], ids=["before", "after"])
async def test_a_process_may_die_at_any_step(effect: bool) -> None:
    steps = await steps_of_a_copy(in_memory())
    assert steps > 30
    for step in range(1, steps + 1):
        await survives(in_memory(), Life(step, effect=effect))


async def test_so_may_the_one_that_repeats_the_copy() -> None:
    steps = await steps_of_a_copy(in_memory())
    for first, second in product(range(1, steps + 1), repeat=2):
        if (first + second) % 4:  # every step has its turn, in either place
            continue
        await survives(in_memory(), Life(first, effect=True), Life(second))


@pytest.mark.slow
@pytest.mark.parametrize("world", [("redis", "redis")], indirect=True, ids="-".join)
async def test_shards_may_be_frozen_filled_sealed_and_thawed_in_part(
    world: World, redis_server: RedisServer
) -> None:
    steps = await steps_of_a_copy(world)
    assert steps > 16 * 12
    for step in range(1, steps + 1, EVERY_OF_REDIS):
        redis_server.flush()
        await survives(world, Life(step, effect=step % 2 == 0))
