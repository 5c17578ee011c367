"""A pass ends in the desired menu or in the one before it, whatever goes wrong on the way."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st

from menu_worker.drift import Behaviour, Source
from menu_worker.guards import Guard, Policy
from menu_worker.menu import Button, Conditional, Menu, Rule
from menu_worker.platform import CREATE, GET
from menu_worker.quota import QuotaSpent
from menu_worker.results import (
    Applied,
    Busy,
    Drifted,
    Failed,
    Guarded,
    InSync,
    Paused,
    Reason,
    Result,
    StoodDown,
    is_good,
)
from menu_worker.steps import ChangeKind, ConditionalStrategy, CreateDefault
from menu_worker.store.base import Outcome
from menu_worker.store.memory import MemoryMenuStore
from tests.emulator.platforms import APPID
from tests.menu_worker.menus import menus
from tests.menu_worker.worlds import ACCOUNT, FAULTS, Fault, World
from zhongkong.emulator.menu_state import Button as ConsoleButton

BUY = (Button("买入", "click", (("key", "BUY_IN"),)),)
SELL = (Button("卖出", "click", (("key", "SELL"),)),)
ONE = Conditional(Rule((("tag_id", "1"),)), BUY)
TWO = Conditional(Rule((("tag_id", "2"),)), SELL)
BEFORE = Menu(BUY, (ONE,))
AFTER = Menu(SELL, (TWO, ONE))


@settings(max_examples=settings().max_examples // 2)
@given(menus, menus, st.sampled_from(ConditionalStrategy))
async def test_any_pair_of_menus_converges_in_one_apply_and_the_second_pass_only_reads(
    before: Menu, after: Menu, strategy: ConditionalStrategy
) -> None:
    world = World()
    assert is_good(await world.reconcile(before))
    begun = len(world.model.menu_history(APPID))
    assert is_good(await world.reconcile(after, strategy=strategy))
    assert world.live == after
    history = world.model.menu_history(APPID)[begun:]
    assert all(change.after.is_shown for change in history), "there was a moment without a menu"
    read = len(world.caller.paths)
    assert await world.reconcile(after, strategy=strategy) == InSync(newly=False)
    assert world.caller.paths[read:] == [GET]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failure_at_any_call_ends_in_the_desired_or_the_previous_menu(
    fault: Fault,
) -> None:
    for place in range(12):
        world = World()
        await world.reconcile(BEFORE)
        world.caller.faults = {len(world.caller.paths) + place: fault}
        try:
            first = await world.reconcile(AFTER)
        except Exception:  # noqa: BLE001 - reading failed before anything was written
            first = Failed("not begun")
        if is_good(first):
            assert world.live == AFTER
            continue
        if isinstance(first, Failed) and first.restored:
            assert world.live == BEFORE
        second = await world.reconcile(AFTER, Reason.REQUESTED)
        assert is_good(second), (fault, place, first, second)
        assert world.live == AFTER


@pytest.mark.parametrize("keeps", [True, False])
async def test_conditional_menus_are_there_in_the_end_whether_or_not_create_keeps_them(
    keeps: bool,
) -> None:
    world = World(create_keeps_conditional=keeps)
    await world.reconcile(BEFORE)
    assert is_good(await world.reconcile(AFTER))
    assert world.live == AFTER


async def test_where_two_menus_with_one_rule_are_refused_the_stale_one_goes_first() -> None:
    world = World(conditional_rules_differ=True)
    await world.reconcile(Menu(BUY, (ONE,)))
    changed = Conditional(ONE.rule, SELL)
    assert is_good(await world.reconcile(Menu(BUY, (changed,))))
    assert world.live == Menu(BUY, (changed,))


async def test_what_wechat_refuses_midway_is_undone_and_not_sent_again_at_once() -> None:
    world = World(conditional_at_most=1)
    await world.reconcile(BEFORE)
    refused = await world.reconcile(AFTER)
    assert isinstance(refused, Failed)
    assert refused.restored
    assert world.live == BEFORE
    (latest, *_) = await world.store.history(ACCOUNT)
    assert latest.outcome is Outcome.ROLLED_BACK
    writes = len(world.caller.writes)
    again = await world.reconcile(AFTER, Reason.INTERVAL)
    assert isinstance(again, Failed)
    assert not again.resumes
    assert len(world.caller.writes) == writes


async def test_the_menu_before_each_write_is_kept() -> None:
    world = World()
    await world.reconcile(BEFORE)
    applied = await world.reconcile(AFTER)
    assert isinstance(applied, Applied)
    revision = await world.store.revision(ACCOUNT, applied.revision)
    assert revision is not None
    assert revision.before == BEFORE.document()
    assert revision.after == AFTER.document()
    assert revision.outcome is Outcome.VERIFIED


async def test_a_guard_holds_up_every_write() -> None:
    world = World()
    await world.reconcile(BEFORE)
    writes = len(world.caller.writes)
    guarded = await world.reconcile(Menu(), policy=Policy())
    assert isinstance(guarded, Guarded)
    assert guarded.refused.guard is Guard.EMPTY_DESIRED
    assert len(world.caller.writes) == writes
    assert world.live == BEFORE


async def test_the_later_claim_wins_and_the_other_worker_writes_nothing() -> None:
    world = World()
    await world.reconcile(BEFORE, instance="old")
    world.clock.at += 60
    await world.reconcile(AFTER, instance="new")
    for _ in range(5):
        world.clock.at += 60
        stood_down = await world.reconcile(BEFORE, Reason.STARTED, instance="old")
        assert isinstance(stood_down, StoodDown)
        assert stood_down.winner.instance == "new"
    assert world.live == AFTER


async def test_a_menu_taken_up_anew_wins_it_back() -> None:
    world = World()
    await world.reconcile(BEFORE, instance="old")
    world.clock.at += 60
    await world.reconcile(AFTER, instance="new")
    world.clock.at += 60
    assert is_good(await world.reconcile(BEFORE, instance="rollout-undone"))
    assert world.live == BEFORE


async def test_only_one_worker_writes_at_a_time() -> None:
    world = World()
    await world.store.acquire(ACCOUNT, "somebody", 60)
    assert isinstance(await world.reconcile(BEFORE), Busy)
    assert world.caller.writes == []


async def test_a_lost_lease_ends_the_writing() -> None:
    world = World()
    await world.reconcile(BEFORE)

    async def steal(*_: object) -> bool:
        return False

    world.store.holds = steal  # type: ignore[method-assign,assignment]
    writes = len(world.caller.writes)
    assert isinstance(await world.reconcile(AFTER), Busy)
    assert len(world.caller.writes) == writes


async def test_drift_is_corrected_once_and_then_with_growing_patience() -> None:
    world = World()
    stranger = World()
    await world.reconcile(BEFORE)
    tool = world.worker(store=MemoryMenuStore(stranger.clock), instance="stranger")
    writes, results = 0, []
    for _ in range(60):
        world.clock.at += 60
        await tool._menus.carry_out(CreateDefault(SELL))
        before = len(world.caller.writes)
        results.append(await world.reconcile(BEFORE, Reason.INTERVAL))
        writes += len(world.caller.writes) > before
    result = results[-1]
    assert isinstance(result, Drifted)
    assert result.source is Source.OTHER_TOOL
    assert result.correction.contested
    assert writes <= 7


async def test_two_workers_that_share_no_store_end_their_fight_with_an_alarm() -> None:
    world = World()
    stores = {menu: MemoryMenuStore(world.clock) for menu in (BEFORE, AFTER)}
    begun = len(world.caller.writes)
    last: dict[Menu, Result] = {}
    for _ in range(300):
        for menu, store in stores.items():
            world.clock.at += 60
            last[menu] = await world.reconcile(
                menu, Reason.INTERVAL, store=store, instance=menu.fingerprint
            )
    fighting = [result for result in last.values() if isinstance(result, Drifted)]
    assert fighting
    assert all(result.correction.contested for result in fighting)
    applies = world.caller.writes[begun:].count(CREATE)
    assert applies <= 2 * 12, "ten hours of fight took more than the patience of both allows"


@pytest.mark.parametrize("on_drift", Behaviour)
async def test_a_menu_edited_in_the_console_is_seen_told_of_and_corrected_or_left(
    on_drift: Behaviour,
) -> None:
    world = World()
    await world.reconcile(BEFORE)
    edited = (ConsoleButton("问候", "text", (("value", "hello"),)),)
    world.model.console.publish_menu(APPID, edited, world.clock.now())
    result = await world.reconcile(BEFORE, Reason.INTERVAL, on_drift=on_drift)
    if on_drift is Behaviour.CORRECT:
        assert isinstance(result, Applied)
        assert result.plan.replaces_console_menu
        assert world.live == BEFORE
    else:
        assert isinstance(result, Drifted)
        assert result.source is Source.CONSOLE
        assert {change.kind for change in result.plan.changes} == {ChangeKind.ADDED}
        assert world.live.is_empty


async def test_drift_is_only_reported_where_that_is_wished() -> None:
    world = World()
    await world.reconcile(BEFORE)
    await world.worker()._menus.carry_out(CreateDefault(SELL))
    told = await world.reconcile(BEFORE, Reason.INTERVAL, on_drift=Behaviour.REPORT)
    assert isinstance(told, Drifted)
    assert world.live.buttons == SELL


async def test_while_paused_nothing_is_written() -> None:
    world = World()
    await world.store.pause(ACCOUNT, paused=True, by="ops")
    assert await world.reconcile(BEFORE) == Paused("ops", pending=True)
    assert world.caller.writes == []


async def test_the_quota_is_never_spent_by_a_loop() -> None:
    world = World()
    for number in range(3000):
        world.clock.at += 5
        with suppress(QuotaSpent):
            await world.reconcile(BEFORE if number % 2 else AFTER, Reason.REQUESTED)
    assert world.caller.paths.count("/cgi-bin/menu/create") <= 800
