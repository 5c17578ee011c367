"""Series stay bounded however many accounts there are."""

from __future__ import annotations

from menu_worker.metrics import WorkerMetrics
from tests.menu_worker.fleets import BUY, SELL, FleetWorld, loaded, on_virtual_time, settle

NAMES = tuple(f"shop{number:03}" for number in range(250))


@on_virtual_time
async def test_accounts_beyond_the_limit_share_one_series_that_shows_the_worst() -> None:
    world = FleetWorld(*NAMES)
    async with world.worker(loaded(dict.fromkeys(NAMES, BUY))) as worker:
        await settle()
        world.somebody_writes("shop249", SELL)
        await world.store.pause("shop249", paused=True, by="ops")
        await worker.reconcile(NAMES, 60)
        shown = WorkerMetrics(worker).render().decode()
    assert "menu_worker_accounts 250.0" in shown
    assert 'menu_worker_in_sync{account="shop000"} 1.0' in shown
    assert "shop249" not in shown
    assert 'menu_worker_in_sync{account="other"} 0.0' in shown
    assert 'menu_worker_paused{account="other"} 1.0' in shown
    assert 'menu_worker_passes_total{account="other",result="applied"} 50.0' in shown


@on_virtual_time
async def test_alarms_are_raised_and_fall_again() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY}), instance="old") as old:
        await settle()
        metrics = WorkerMetrics(old)
        async with world.worker(loaded({"shop": SELL}), instance="new"):
            await settle()
        await old.reconcile(["shop"], 60)
        assert 'menu_worker_standing_down{account="shop"} 1.0' in metrics.render().decode()
        old.take(loaded({"shop": SELL}))
        await settle()
        assert 'menu_worker_standing_down{account="shop"} 0.0' in metrics.render().decode()
