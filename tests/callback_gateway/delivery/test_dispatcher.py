"""The loop that leases and begins, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import orjson
import pytest

from callback_gateway.delivery.outcome import Outcome, answered
from callback_gateway.delivery.settling import GIVE_UP_S
from callback_gateway.inbox.records import Delivery, Depth, Mark, Selection
from tests.callback_gateway.delivery.receivers import target_at
from tests.callback_gateway.delivery.world import (
    DOWN,
    OK,
    World,
    arrival,
    hangs,
    on_virtual_time,
    says,
    takes,
)
from zhongkong.runtime.storage import StoreUnavailable


async def depth_of(world: World) -> Depth:
    return await world.inbox.depth()


@on_virtual_time
async def test_what_is_accepted_here_is_delivered_at_once() -> None:
    world = World("crm", "audit")
    async with world.replica() as replica:
        await asyncio.sleep(0.5)
        await world.accept(arrival("evt_1", "crm", "audit"))
        replica.dispatcher.wake()
        await asyncio.sleep(0.01)
    assert (world.network.times("crm"), world.network.times("audit")) == ([0.5], [0.5])
    assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_what_another_replica_accepted_is_delivered_within_a_second() -> None:
    world = World("crm")
    async with world.replica():
        await asyncio.sleep(0.5)
        await world.accept(arrival("evt_1", "crm"))
        await asyncio.sleep(1.0)
    [at] = world.network.times("crm")
    assert at <= 1.5


@on_virtual_time
async def test_a_failed_delivery_follows_the_schedule_and_ends_as_a_dead_letter() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN)
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica():
        await asyncio.sleep(100)
    assert world.network.times("crm") == pytest.approx([0, 1, 6, 36], abs=0.05)
    [letter] = await world.dead_letters()
    assert letter.reason == "exhausted"
    assert [attempt.outcome for attempt in letter.attempts] == ["connection"] * 4
    assert world.observed.deaths == [("crm", "exhausted")]


@on_virtual_time
async def test_a_retry_is_made_when_it_is_due_however_long_the_poll() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(answered(503, retry_after_s=17.25), OK)
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica():
        await asyncio.sleep(20)
    assert world.network.times("crm") == pytest.approx([0, 17.25], abs=0.01)


@on_virtual_time
async def test_a_recovered_target_gets_its_waiting_retries_at_once() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN)
    await world.accept(*(arrival(f"evt_{number}", "crm") for number in range(5)))
    async with world.replica() as replica:
        await asyncio.sleep(10)  # their next attempts are due at 36
        world.network.scripts["crm"] = says(OK)
        await world.accept(arrival("evt_new", "crm"))
        replica.dispatcher.wake()
        await asyncio.sleep(0.1)
    assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_no_more_is_leased_of_a_target_than_it_has_places() -> None:
    world = World("crm", concurrency=3)
    world.network.scripts["crm"] = takes(1.0)
    await world.accept(*(arrival(f"evt_{number}", "crm") for number in range(10)))
    async with world.replica():
        leased = []
        for _ in range(50):
            await asyncio.sleep(0.1)
            leased.append((await depth_of(world)).leased.get("crm", 0))
    assert max(leased) == world.network.most["crm"] == 3
    # Four rounds of a second each: a free place is filled at once.
    assert world.network.times("crm") == pytest.approx([0] * 3 + [1] * 3 + [2] * 3 + [3], abs=0.05)


@on_virtual_time
async def test_a_target_that_hangs_holds_up_nobody_else() -> None:
    world = World("dead", "crm", concurrency=4)
    world.network.scripts["dead"] = hangs
    events = 200
    await world.accept(*(arrival(f"evt_{number}", "dead", "crm") for number in range(events)))
    async with world.replica():
        await asyncio.sleep(0.5)
        assert len(world.network.sent["crm"]) == events
        assert len(world.network.sent["dead"]) == 4


@on_virtual_time
async def test_a_full_target_wakes_the_loop_when_a_place_is_free() -> None:
    world = World("busy", "crm", concurrency=1)
    world.network.scripts["busy"] = takes(0.3)
    await world.accept(*(arrival(f"evt_{number}", "busy") for number in range(4)))
    async with world.replica() as replica:
        for _ in range(10):  # the other target is leased in between
            await asyncio.sleep(0.05)
            replica.dispatcher.wake()
        await asyncio.sleep(1.0)
    assert world.network.times("busy") == pytest.approx([0, 0.3, 0.6, 0.9], abs=0.01)


@on_virtual_time
async def test_a_place_that_comes_free_while_others_are_leased_is_not_overlooked() -> None:
    world = World("crm", concurrency=2)
    lease = world.inbox.lease

    async def slow_lease(wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        leased = await lease(wanted, owner=owner)
        await asyncio.sleep(0.1)
        return leased

    async def first_is_quick(event_id: str) -> Outcome:
        await asyncio.sleep(0.15 if event_id == "evt_0" else 60.0)
        return OK

    world.inbox.lease = slow_lease  # type: ignore[method-assign]
    world.network.scripts["crm"] = first_is_quick
    await world.accept(arrival("evt_0", "crm"))
    async with world.replica() as replica:
        await asyncio.sleep(0.2)
        await world.accept(*(arrival(f"evt_{number}", "crm") for number in range(1, 4)))
        replica.dispatcher.wake()
        await asyncio.sleep(3)
    # evt_0 was begun at 0.1 and ends at 0.25, while the other place is being filled.
    assert world.network.times("crm") == pytest.approx([0.1, 0.3, 0.4], abs=0.02)


@on_virtual_time
async def test_a_lease_lives_as_long_as_its_attempt() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(25.0)
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica("one"), world.replica("two"):
        await asyncio.sleep(40)
    assert len(world.network.sent["crm"]) == 1
    assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_a_delivery_whose_process_died_is_taken_up_within_15_seconds() -> None:
    world = World("crm")
    world.network.scripts["crm"] = hangs
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica("one"):
        await asyncio.sleep(3)
    died_at = world.clock.monotonic()
    world.network.scripts["crm"] = says(OK)
    async with world.replica("two"):
        await asyncio.sleep(15)
    assert len(world.network.sent["crm"]) == 2
    assert world.network.times("crm")[1] <= died_at + 15
    assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_a_failure_under_a_void_lease_is_not_settled() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(5.0, DOWN)
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica("one"):
        await asyncio.sleep(0.5)
        # Everything stands still for longer than a lease lives: somebody else takes it.
        world.clock.skew_s += 30
        [other] = await world.inbox.lease({"crm": 1}, owner="two")
        await asyncio.sleep(6)
        assert await world.inbox.renew([other]) == []
    assert world.inbox.settled == []


@on_virtual_time
async def test_a_delivery_made_under_a_void_lease_counts() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(5.0, OK)
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica("one"):
        await asyncio.sleep(0.5)
        world.clock.skew_s += 30
        await world.inbox.lease({"crm": 1}, owner="two")
        await asyncio.sleep(6)
    assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_outcomes_of_one_turn_are_settled_by_one_call() -> None:
    world = World("crm", concurrency=50)
    world.network.scripts["crm"] = takes(1.0)
    await world.accept(*(arrival(f"evt_{number}", "crm") for number in range(50)))
    async with world.replica():
        await asyncio.sleep(2)
    assert world.inbox.settled == [50]


@on_virtual_time
async def test_a_store_that_is_away_is_asked_seldom_and_found_again() -> None:
    world = World("crm")
    async with world.replica():
        await asyncio.sleep(5)
        world.inbox.shut = True
        world.inbox.calls.clear()
        await asyncio.sleep(60)
        asked = world.inbox.calls["lease"] + world.inbox.calls["next_due_in"]
        world.inbox.shut = False
        await world.accept(arrival("evt_1", "crm"))
        await asyncio.sleep(3)
    assert 25 <= asked <= 40
    assert len(world.network.sent["crm"]) == 1


@on_virtual_time
async def test_waking_does_not_hurry_a_store_that_is_away() -> None:
    world = World("crm")
    world.inbox.shut = True
    async with world.replica() as replica:
        for _ in range(1_000):
            replica.dispatcher.wake()
            await asyncio.sleep(0.01)
    assert world.inbox.calls["lease"] <= 10


@on_virtual_time
async def test_an_idle_dispatcher_asks_once_a_second() -> None:
    world = World("crm")
    async with world.replica():
        await asyncio.sleep(60)
    assert 55 <= world.inbox.calls["lease"] <= 65


@on_virtual_time
async def test_a_delivery_made_while_the_store_is_away_is_not_made_twice() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(1.0)
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica():
        await asyncio.sleep(0.5)
        world.inbox.shut = True
        await asyncio.sleep(30)
        world.inbox.shut = False
        await asyncio.sleep(20)
    assert len(world.network.sent["crm"]) == 1
    assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_a_delivery_that_can_never_be_settled_is_made_again() -> None:
    world = World("crm")
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica():
        world.inbox.unsettled = StoreUnavailable("it takes no word")
        await asyncio.sleep(GIVE_UP_S + 20)
        world.inbox.unsettled = None
        await asyncio.sleep(20)
    assert len(world.network.sent["crm"]) == 2
    assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_a_defect_while_settling_leaves_no_place_taken() -> None:
    world = World("crm", concurrency=1)
    await world.accept(arrival("evt_1", "crm"), arrival("evt_2", "crm"))
    async with world.replica():
        world.inbox.unsettled = ZeroDivisionError()
        await asyncio.sleep(1)
        world.inbox.unsettled = None
        await asyncio.sleep(30)
    assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_a_wait_shorter_than_the_poll_is_kept_to() -> None:
    world = World("crm")
    world.schedule = (0.1, 0.2, 0.3)
    world.network.scripts["crm"] = says(DOWN)
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica():
        await asyncio.sleep(5)
    assert world.network.times("crm") == pytest.approx([0, 0.1, 0.3, 0.6], abs=0.02)


@on_virtual_time
async def test_a_410_disables_the_target_and_buries_what_is_for_it() -> None:
    world = World("crm", concurrency=1)
    world.network.scripts["crm"] = says(answered(410))
    await world.accept(*(arrival(f"evt_{number}", "crm") for number in range(3)))
    async with world.replica():
        await asyncio.sleep(1)
    assert len(world.network.sent["crm"]) == 1
    assert await world.inbox.disabled() == {"crm": world.targets["crm"].fingerprint}
    assert world.observed.deaths == [("crm", "target_gone")] * 3


@on_virtual_time
async def test_a_disabled_target_is_served_again_when_it_is_configured_anew() -> None:
    world = World("crm")
    await world.inbox.disable("crm", world.targets["crm"].fingerprint)
    async with world.replica():
        world.targets["crm"] = target_at("http://elsewhere", "crm")
        await world.accept(arrival("evt_1", "crm"))
        await asyncio.sleep(2)
    assert len(world.network.sent["crm"]) == 1


@on_virtual_time
async def test_a_disabled_target_is_served_again_when_it_is_enabled() -> None:
    world = World("crm")
    await world.inbox.disable("crm", world.targets["crm"].fingerprint)
    async with world.replica():
        await asyncio.sleep(1)
        await world.inbox.enable("crm")
        await asyncio.sleep(6)
        await world.accept(arrival("evt_1", "crm"))
        await asyncio.sleep(2)
    assert len(world.network.sent["crm"]) == 1


@on_virtual_time
async def test_a_410_is_remembered_when_the_store_comes_back() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(1.0, answered(410))
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica():
        await asyncio.sleep(0.5)
        world.inbox.shut = True
        await asyncio.sleep(5)
        world.inbox.shut = False
        await asyncio.sleep(10)
    assert await world.inbox.disabled() == {"crm": world.targets["crm"].fingerprint}
    assert len(world.network.sent["crm"]) == 1


@on_virtual_time
async def test_a_target_that_is_not_configured_is_left_alone_for_ten_minutes() -> None:
    world = World("crm")
    await world.accept(arrival("evt_1", "crm", "gone"))
    async with world.replica():
        await asyncio.sleep(590)
        assert await world.dead_letters() == ()
        await world.accept(arrival("evt_2", "gone"))
        await asyncio.sleep(100)
    [letter] = await world.dead_letters()
    assert (letter.event_id, letter.reason) == ("evt_1", "target_unknown")
    assert world.network.sent["gone"] == []


@on_virtual_time
async def test_a_target_that_is_configured_in_time_gets_what_waited() -> None:
    world = World()
    await world.accept(arrival("evt_1", "late"))
    async with world.replica():
        await asyncio.sleep(500)
        world.targets["late"] = target_at("http://target", "late")
        await asyncio.sleep(2)
    assert len(world.network.sent["late"]) == 1


@on_virtual_time
async def test_draining_lets_attempts_end_and_begins_no_more() -> None:
    world = World("crm", concurrency=2)
    world.network.scripts["crm"] = takes(1.0)
    await world.accept(*(arrival(f"evt_{number}", "crm") for number in range(5)))
    async with world.replica() as replica:
        await asyncio.sleep(0.5)
        await replica.dispatcher.drain(5.0)
        drained_at = world.clock.monotonic()
        await asyncio.sleep(5)
    assert drained_at == pytest.approx(1.0, abs=0.01)
    assert len(world.network.sent["crm"]) == 2
    depth = await depth_of(world)
    assert (depth.events, depth.leased.get("crm", 0)) == (3, 0)


@on_virtual_time
async def test_draining_waits_until_the_store_knows_what_was_delivered() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(1.0)
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica() as replica:
        await asyncio.sleep(0.5)
        world.inbox.unsettled = StoreUnavailable("not yet")
        draining = asyncio.ensure_future(replica.dispatcher.drain(5.0))
        await asyncio.sleep(1.5)
        world.inbox.unsettled = None
        await draining
        assert (await depth_of(world)).events == 0


@on_virtual_time
async def test_an_attempt_that_outlasts_the_drain_is_cut_off_and_counted_so() -> None:
    world = World("crm")
    world.network.scripts["crm"] = hangs
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica("one") as replica:
        await asyncio.sleep(0.5)
        await replica.dispatcher.drain(2.0)
        assert world.clock.monotonic() == pytest.approx(2.5, abs=0.01)
        await asyncio.sleep(15)
    [delivery] = await world.inbox.lease({"crm": 1}, owner="two")
    assert (delivery.cut_off, delivery.failures) == (1, 0)


@on_virtual_time
async def test_what_is_leased_while_draining_is_given_back() -> None:
    world = World("crm")
    gate = asyncio.Event()
    lease = world.inbox.lease

    async def slow_lease(wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        leased = await lease(wanted, owner=owner)
        await gate.wait()
        return leased

    world.inbox.lease = slow_lease  # type: ignore[method-assign]
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica() as replica:
        await asyncio.sleep(0.1)
        draining = asyncio.ensure_future(replica.dispatcher.drain(5.0))
        await asyncio.sleep(0.1)
        gate.set()
        await draining
    assert world.network.sent["crm"] == []
    [delivery] = await lease({"crm": 1}, owner="two")
    assert delivery.cut_off == 0


@on_virtual_time
async def test_a_target_taken_out_while_its_deliveries_are_leased_gets_them_no_more() -> None:
    world = World("crm")
    lease = world.inbox.lease

    async def lease_and_lose(wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        leased = await lease(wanted, owner=owner)
        if leased:
            world.targets.clear()
        return leased

    world.inbox.lease = lease_and_lose  # type: ignore[method-assign]
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica():
        await asyncio.sleep(5)
    assert world.network.sent["crm"] == []
    assert (await depth_of(world)).waiting == {"crm": 1}


@on_virtual_time
async def test_a_redriven_delivery_says_so() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(answered(410))
    await world.accept(arrival("evt_1", "crm"))
    async with world.replica():
        await asyncio.sleep(1)
        await world.inbox.enable("crm")
        world.network.scripts["crm"] = says(OK)
        await asyncio.sleep(6)
        await world.inbox.redrive(Selection())
        await asyncio.sleep(2)
    assert orjson.loads(world.network.documents[-1])[Mark.REDRIVEN.value] is True


@on_virtual_time
async def test_a_defect_in_one_attempt_costs_only_its_own_place() -> None:
    world = World("crm", concurrency=1)

    async def broken_once(event_id: str) -> Outcome:
        world.network.scripts["crm"] = says(OK)
        raise ZeroDivisionError

    world.network.scripts["crm"] = broken_once
    await world.accept(arrival("evt_1", "crm"), arrival("evt_2", "crm"))
    async with world.replica():
        await asyncio.sleep(1)
        assert len(world.network.sent["crm"]) == 2
        await asyncio.sleep(15)
    assert (await depth_of(world)).events == 0
