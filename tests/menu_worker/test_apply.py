"""An apply by a person, beside workers that write the same account."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from menu_worker.commands.apply import BUSY_FOR_S, apply_one
from menu_worker.desired import Desired
from menu_worker.guards import Guard, Refused
from menu_worker.menu import Live
from menu_worker.plan import make_plan
from menu_worker.platform import CREATE
from menu_worker.reconciler import Order
from menu_worker.result_words import exit_code, worst
from menu_worker.results import (
    Applied,
    Busy,
    Failed,
    Guarded,
    InSync,
    Paused,
    Result,
    StoodDown,
    Unavailable,
)
from menu_worker.store.base import Claim
from tests.menu_worker.fleets import (
    BUY,
    SELL,
    FleetWorld,
    loaded,
    on_virtual_time,
    settle,
    state_of,
)

PLAN = make_plan("shop", Live(SELL), BUY)


def wanted(menu: object = BUY) -> Desired:
    return Desired("shop", menu, file=Path("menus/shop.yaml"))  # type: ignore[arg-type]


@on_virtual_time
async def test_an_apply_waits_for_a_pass_under_way_elsewhere() -> None:
    world = FleetWorld("shop")
    lease = await world.store.acquire("shop", "worker-1", 60)
    assert lease is not None
    applying = asyncio.ensure_future(
        apply_one(world.fleet(by_person=True), wanted(), Order("worker-1/apply-1"))
    )
    await asyncio.sleep(10)
    assert not applying.done()
    await world.store.release(lease)
    assert isinstance(await applying, Applied)


@on_virtual_time
async def test_a_dead_workers_lease_is_waited_out() -> None:
    world = FleetWorld("shop")
    await world.store.acquire("shop", "worker-1", 60)
    result = await apply_one(world.fleet(by_person=True), wanted(), Order("apply-1"))
    assert isinstance(result, Applied)


@on_virtual_time
async def test_who_is_never_let_in_gives_up() -> None:
    world = FleetWorld("shop")
    await world.store.acquire("shop", "worker-1", 10 * BUSY_FOR_S)
    result = await apply_one(world.fleet(by_person=True), wanted(), Order("apply-1"))
    assert result == Busy()


@on_virtual_time
async def test_a_worker_and_an_apply_of_one_instance_do_not_write_at_once() -> None:
    world = FleetWorld("shop")
    world.caller.takes_s = 1.0
    world.caller.one_at_a_time = False
    async with world.worker(loaded({"shop": BUY})) as worker:
        order = Order("worker-1/apply-1")
        result = await apply_one(world.fleet(by_person=True), wanted(), order)
        await settle(10)
        assert isinstance(result, Applied | InSync)
        assert isinstance(state_of(worker, "shop").result, Applied | InSync)
    assert world.caller.count("shop", CREATE) == 1
    assert len(await world.store.history("shop")) == 1


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (InSync(newly=False), 0),
        (Applied(PLAN, 1), 0),
        (Guarded(PLAN, Refused(Guard.STALE_PLAN, "stale")), 3),
        (Paused("ops", pending=True), 3),
        (StoodDown(Claim("other", "f", 0.0)), 1),
        (Busy(), 1),
        (Failed("no"), 1),
        (Unavailable("away"), 1),
    ],
)
def test_each_result_has_its_exit_code(result: Result, code: int) -> None:
    assert exit_code(result) == code


@pytest.mark.parametrize(
    ("codes", "code"), [((), 0), ((0, 2), 2), ((2, 3, 0), 3), ((3, 1, 2), 1), ((0, 0), 0)]
)
def test_an_error_outranks_a_refusal_and_that_outranks_changes(
    codes: tuple[int, ...], code: int
) -> None:
    assert worst(codes) == code
