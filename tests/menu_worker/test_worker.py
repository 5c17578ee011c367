"""When passes are made, and that one account never holds up another."""

from __future__ import annotations

import asyncio

from menu_worker.account_worker import SWITCH_ASKED_EVERY_S, SWITCHED_OFF_ASKED_EVERY_S
from menu_worker.drift import Behaviour, Source
from menu_worker.guards import Guard
from menu_worker.menu import NO_MENU, Button, Menu
from menu_worker.passes import LONGEST_S
from menu_worker.platform import CREATE, DELETE, GET, SHOWN
from menu_worker.results import (
    Applied,
    Drifted,
    Failed,
    Guarded,
    InSync,
    Paused,
    StoodDown,
    Unavailable,
    Untouched,
)
from menu_worker.worker import GONE
from tests.menu_worker.fleets import (
    BUY,
    INTERVAL_S,
    SELL,
    FleetWorld,
    appid_of,
    file_of,
    loaded,
    on_virtual_time,
    settle,
    state_of,
)
from zhongkong.wechat.limits import SANDBOX, next_reset

NAMES = ("shop", "bank", "game")


@on_virtual_time
async def test_at_the_start_every_menu_is_made_live() -> None:
    world = FleetWorld(*NAMES)
    async with world.worker(loaded(dict.fromkeys(NAMES, BUY))) as worker:
        await settle()
        assert [world.live(name) for name in NAMES] == [BUY] * 3
        assert all(isinstance(state.result, Applied) for state in worker.states)
        assert all(state.in_sync and state.is_open for state in worker.states)


@on_virtual_time
async def test_a_failing_account_holds_up_no_other_and_comes_right_by_itself() -> None:
    world = FleetWorld(*NAMES)
    world.caller.away.add("bank")
    async with world.worker(loaded(dict.fromkeys(NAMES, BUY))) as worker:
        await settle()
        assert [world.live(name) for name in NAMES] == [BUY, NO_MENU, BUY]
        assert isinstance(state_of(worker, "bank").result, Unavailable)
        world.caller.away.clear()
        await settle(30)
        assert world.live("bank") == BUY


@on_virtual_time
async def test_failures_are_retried_ever_more_slowly_up_to_the_interval() -> None:
    world = FleetWorld("shop")
    world.caller.away.add("shop")
    async with world.worker(loaded({"shop": BUY})):
        await settle(60)
        in_a_minute = world.caller.count("shop", GET)
        await settle(3600)
        in_an_hour = world.caller.count("shop", GET) - in_a_minute
    assert 3 <= in_a_minute <= 6
    assert in_an_hour <= 3600 / (INTERVAL_S * 0.8) + 4


@on_virtual_time
async def test_a_hanging_account_is_cut_off_and_blocks_nobody() -> None:
    world = FleetWorld(*NAMES)
    world.caller.hanging.add("bank")
    async with world.worker(loaded(dict.fromkeys(NAMES, BUY)), concurrency=2) as worker:
        await settle()
        assert [world.live(name) for name in ("shop", "game")] == [BUY, BUY]
        await settle(LONGEST_S)
        result = state_of(worker, "bank").result
    assert isinstance(result, Failed)
    assert "not done within 300 s" in result.detail


@on_virtual_time
async def test_no_more_accounts_than_allowed_are_worked_on_at_once() -> None:
    names = [f"shop{number}" for number in range(20)]
    world = FleetWorld(*names)
    world.caller.takes_s = 1.0
    async with world.worker(loaded(dict.fromkeys(names, BUY)), concurrency=3):
        await settle(120)
    assert world.caller.most == 3
    assert all(world.live(name) == BUY for name in names)


@on_virtual_time
async def test_a_changed_file_is_applied_at_once() -> None:
    world = FleetWorld("shop", "bank")
    async with world.worker(loaded({"shop": BUY, "bank": BUY})) as worker:
        await settle()
        read = world.caller.count("bank", GET)
        worker.take(loaded({"shop": SELL, "bank": BUY}))
        await settle()
        assert world.live("shop") == SELL
        assert world.caller.count("bank", GET) == read, "its file did not change"


@on_virtual_time
async def test_the_menu_is_looked_at_at_the_interval_with_one_reading() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY})):
        await settle()
        begun = len(world.caller.calls)
        await settle(INTERVAL_S)
        assert world.caller.calls[begun:] == [("shop", GET)]


@on_virtual_time
async def test_whether_the_menu_is_switched_on_is_asked_now_and_then() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        asked = world.caller.count("shop", SHOWN)
        await settle(SWITCH_ASKED_EVERY_S + INTERVAL_S)
        assert world.caller.count("shop", SHOWN) == asked + 1
        assert state_of(worker, "shop").is_open is True


@on_virtual_time
async def test_a_menu_that_is_switched_off_is_noticed_and_so_is_its_return() -> None:
    world = FleetWorld("shop")
    console, appid = world.model.console, appid_of("shop")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        console.switch_menu(appid, world.clock.now(), is_open=False)
        await settle(SWITCH_ASKED_EVERY_S + INTERVAL_S)
        assert state_of(worker, "shop").is_open is False
        assert state_of(worker, "shop").in_sync
        console.switch_menu(appid, world.clock.now(), is_open=True)
        await settle(SWITCHED_OFF_ASKED_EVERY_S + INTERVAL_S)
        assert state_of(worker, "shop").is_open is True


# -- files that can't be used ---------------------------------------------------------------------


@on_virtual_time
async def test_a_broken_file_leaves_the_live_menu_alone_and_is_reported() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        writes = world.caller.count("shop", CREATE)
        worker.take(loaded({}, broken={"shop": "`button` is missing"}))
        world.somebody_writes("shop", SELL)
        await settle(2 * INTERVAL_S)
        state = state_of(worker, "shop")
        assert isinstance(state.result, Untouched)
        assert "`button` is missing" in state.result.detail
        assert state.in_sync is False, "live is compared with the last good menu"
        assert world.caller.count("shop", CREATE) == writes
        assert world.live("shop") == SELL


@on_virtual_time
async def test_a_mended_file_is_applied_at_once() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({}, broken={"shop": "half written"})) as worker:
        await settle()
        assert world.caller.calls == []
        worker.take(loaded({"shop": BUY}))
        await settle()
        assert world.live("shop") == BUY


@on_virtual_time
async def test_a_removed_file_deletes_nothing_and_says_so() -> None:
    world = FleetWorld("shop", "bank")
    async with world.worker(loaded({"shop": BUY, "bank": BUY})) as worker:
        await settle()
        worker.take(loaded({"bank": BUY}, unmatched=("menus/shop.yaml",)))
        await settle(2 * INTERVAL_S)
        assert state_of(worker, "shop").result == Untouched(GONE, matches=True)
        assert world.live("shop") == BUY
        assert world.caller.count("shop", DELETE) == 0


@on_virtual_time
async def test_a_file_that_lost_its_account_is_still_known_as_that_accounts() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        worker.take(loaded({}, nameless={"shop": "ends in the middle"}))
        await settle()
        assert state_of(worker, "shop").trouble == f"{file_of('shop')}:1:1: ends in the middle"


@on_virtual_time
async def test_an_emptied_menu_deletes_nothing_and_is_not_claimed() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        worker.take(loaded({"shop": NO_MENU}))
        await settle()
        result = state_of(worker, "shop").result
        assert isinstance(result, Guarded)
        assert result.refused.guard is Guard.EMPTY_DESIRED
        assert world.live("shop") == BUY
        [claim] = (await world.store.standing("shop")).claims
        assert claim.fingerprint == BUY.fingerprint


# -- drift, other workers, the pause --------------------------------------------------------------


@on_virtual_time
async def test_drift_is_corrected_and_its_source_remembered() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        world.somebody_writes("shop", SELL)
        await settle(INTERVAL_S)
        assert world.live("shop") == BUY
        assert state_of(worker, "shop").corrections == {Source.OTHER_TOOL: 1}
        latest, *_ = await world.store.history("shop")
        assert latest.reason == "drift"


@on_virtual_time
async def test_whoever_keeps_changing_it_back_is_told_of_and_not_fought() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY}), interval_s=60) as worker:
        await settle()
        written = world.caller.count("shop", CREATE)
        for _ in range(120):
            world.somebody_writes("shop", SELL)
            await settle(60)
        state = state_of(worker, "shop")
        assert state.contested
        assert isinstance(state.result, Drifted)
        assert world.caller.count("shop", CREATE) - written <= 8


@on_virtual_time
async def test_drift_that_is_reported_only_stays() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY}), on_drift=Behaviour.REPORT) as worker:
        await settle()
        world.somebody_writes("shop", SELL)
        await settle(2 * INTERVAL_S)
        assert world.live("shop") == SELL
        assert state_of(worker, "shop").drift is Source.OTHER_TOOL


@on_virtual_time
async def test_the_older_worker_stands_down_and_never_fights() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY}), instance="old") as old:
        await settle()
        async with world.worker(loaded({"shop": SELL}), instance="new"):
            await settle(4 * INTERVAL_S)
            assert world.live("shop") == SELL
            state = state_of(old, "shop")
            assert isinstance(state.result, StoodDown)
            assert state.result.winner.instance == "new"
            assert state.is_standing_down
    assert world.caller.count("shop", CREATE) == 2


@on_virtual_time
async def test_a_menu_that_a_guard_refuses_takes_the_account_from_nobody() -> None:
    world = FleetWorld("shop")
    large = Menu(tuple(Button(f"b{n}", "click", (("key", f"K{n}"),)) for n in range(3)))
    many = Menu(tuple(Button(f"p{n}", children=large.buttons) for n in range(3)))
    async with world.worker(loaded({"shop": many}), instance="old") as old:
        await settle()
        async with world.worker(loaded({"shop": BUY}), instance="new") as new:
            await settle(INTERVAL_S)
            assert isinstance(state_of(new, "shop").result, Guarded)
            assert isinstance(state_of(old, "shop").result, InSync)
            world.somebody_writes("shop", SELL)
            await settle(INTERVAL_S)
            assert world.live("shop") == many


@on_virtual_time
async def test_a_paused_account_is_not_written_until_it_is_resumed() -> None:
    world = FleetWorld("shop")
    await world.store.pause("shop", paused=True, by="ops")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        assert state_of(worker, "shop").result == Paused("ops", pending=True)
        assert state_of(worker, "shop").paused_by == "ops"
        assert world.live("shop") == NO_MENU
        await world.store.pause("shop", paused=False, by="ops")
        worker.wake("shop")
        await settle()
        assert world.live("shop") == BUY
        assert state_of(worker, "shop").paused_by is None


# -- on request, and at the end -------------------------------------------------------------------


@on_virtual_time
async def test_a_request_is_answered_by_a_pass_that_began_after_it() -> None:
    world = FleetWorld("shop")
    world.caller.takes_s = 5.0
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle(6)
        world.caller.takes_s = 1.0
        results = await worker.reconcile(["shop"], 120)
        assert isinstance(results["shop"], InSync)


@on_virtual_time
async def test_a_request_overrides_the_backoff_of_corrections() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY}), on_drift=Behaviour.REPORT) as worker:
        await settle()
        world.somebody_writes("shop", SELL)
        results = await worker.reconcile(["shop"], 120)
        assert isinstance(results["shop"], Applied)
        assert world.live("shop") == BUY


@on_virtual_time
async def test_a_request_that_takes_too_long_is_left_to_go_on() -> None:
    world = FleetWorld("shop", "bank")
    async with world.worker(loaded({"shop": BUY, "bank": BUY})) as worker:
        await settle()
        world.caller.hanging.add("bank")
        results = await worker.reconcile(["shop", "bank"], 120)
        assert isinstance(results["shop"], InSync)
        assert results["bank"] is None


@on_virtual_time
async def test_a_pass_under_way_is_brought_to_its_end_and_no_other_is_begun() -> None:
    world = FleetWorld("shop", "bank")
    world.caller.takes_s = 1.0
    async with world.worker(loaded({"shop": BUY, "bank": BUY}), concurrency=1) as worker:
        await settle(1.5)
        worker.stop()
        await worker.drain(60)
        assert [world.live("shop"), world.live("bank")] == [BUY, NO_MENU]
        assert isinstance((await worker.reconcile(["bank"], 1))["bank"], Unavailable)


@on_virtual_time
async def test_what_is_cut_off_at_the_end_is_resumed_by_the_next_start() -> None:
    world = FleetWorld("shop")
    world.caller.hanging.add("shop")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        worker.stop()
        await worker.drain(5)
    world.caller.hanging.clear()
    async with world.worker(loaded({"shop": BUY})):
        await settle()
        assert world.live("shop") == BUY


@on_virtual_time
async def test_with_the_store_away_nothing_is_written_and_work_goes_on_when_it_is_back() -> None:
    world = FleetWorld("shop")
    world.store.shut = True
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        assert isinstance(state_of(worker, "shop").result, Unavailable)
        assert world.live("shop") == NO_MENU
        world.store.shut = False
        await settle(30)
        assert world.live("shop") == BUY


@on_virtual_time
async def test_a_day_of_short_intervals_leaves_a_fifth_of_the_calls_to_people() -> None:
    world = FleetWorld("shop")
    await asyncio.sleep(next_reset(world.clock.now()) - world.clock.now())
    async with world.worker(loaded({"shop": BUY}), interval_s=60, quotas=SANDBOX) as worker:
        await asyncio.sleep(86_000)
        assert world.caller.count("shop", GET) == 800
        assert isinstance(state_of(worker, "shop").result, Unavailable)
        await asyncio.sleep(3600)
        assert isinstance(state_of(worker, "shop").result, InSync)
