"""A thousand accounts in one run: one summary, one exit code, and the failing one is named."""

from __future__ import annotations

from menu_worker.commands.apply import apply_all, summary
from menu_worker.reconciler import Order
from menu_worker.result_words import DONE, FAILED, exit_code, worst
from tests.menu_worker.fleets import BUY, SELL, FleetWorld, loaded, on_virtual_time, settle

NAMES = tuple(f"shop{number}" for number in range(1000))


@on_virtual_time
async def test_a_thousand_accounts_are_applied_and_the_failing_one_is_named() -> None:
    world = FleetWorld(*NAMES)
    world.caller.takes_s = 0.05
    world.caller.away.add("shop7")
    fleet = world.fleet(by_person=True, concurrency=8)
    chosen = loaded(dict.fromkeys(NAMES, BUY)).desired
    results = await apply_all(fleet, chosen, Order("apply-1"))

    assert list(results) == list(NAMES)
    assert world.caller.most == 8
    assert worst(map(exit_code, results.values())) == FAILED
    assert summary(results) == "1000 accounts: 999 applied, 1 unavailable (shop7)"
    assert all(world.live(name) == BUY for name in NAMES if name != "shop7")

    world.caller.away.clear()
    results = await apply_all(fleet, chosen, Order("apply-2"))
    assert worst(map(exit_code, results.values())) == DONE
    assert summary(results) == "1000 accounts: 999 in sync, 1 applied"


@on_virtual_time
async def test_a_thousand_accounts_are_kept_and_become_ready_together() -> None:
    world = FleetWorld(*NAMES)
    async with world.worker(loaded(dict.fromkeys(NAMES, BUY))) as worker:
        await settle(60)
        assert worker.not_ready_because() is None
        worker.take(loaded({**dict.fromkeys(NAMES, BUY), "shop7": SELL}))
        await settle()
        assert world.live("shop7") == SELL
        assert all(state.in_sync for state in worker.states)
