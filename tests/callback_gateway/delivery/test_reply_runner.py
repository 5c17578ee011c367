"""Replies, on virtual time: asked for at once, again inside the window, posted for who waits."""

from __future__ import annotations

import asyncio
from functools import partial

import orjson
import pytest

from callback_gateway.delivery.outcome import DELIVERED, Outcome, answered
from callback_gateway.inbox.records import Kind, Release, ReplyState, Settlement
from callback_gateway.reply_board import ReplyOutcome
from tests.callback_gateway.delivery.receivers import target_at
from tests.callback_gateway.delivery.world import (
    DOWN,
    World,
    arrival,
    hangs,
    on_virtual_time,
    says,
    takes,
)

HELLO = {"content": "您好", "type": "text"}
STORED = orjson.dumps(HELLO)
SAID = Outcome(DELIVERED, 200, orjson.dumps({"reply": HELLO}))
NOTHING = Outcome(DELIVERED, 204)


async def state_of(world: World, event_id: str) -> tuple[ReplyState, bytes | None]:
    joined = await world.inbox.join("shop", event_id, owner="judge")
    return joined.reply_state, joined.reply


@on_virtual_time
async def test_an_answer_is_stored_and_then_posted() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(1.0, SAID)
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        assert replica.dispatcher.attempts("evt_1")
        assert await told == ReplyOutcome(STORED)
        assert await state_of(world, "evt_1") == (ReplyState.ANSWERED, STORED)
        await asyncio.sleep(0)
        assert not replica.dispatcher.attempts("evt_1")


@pytest.mark.parametrize("outcome", [NOTHING, Outcome(DELIVERED, 200, b"{}")])
def test_no_answer_is_an_answer(outcome: Outcome) -> None:
    on_virtual_time(partial(_say_nothing, outcome))()


async def _say_nothing(outcome: Outcome) -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(outcome)
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        assert await told == ReplyOutcome(b"")
        assert await state_of(world, "evt_1") == (ReplyState.ANSWERED, b"")


@on_virtual_time
async def test_a_failed_attempt_is_repeated_inside_the_window() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN, answered(503), SAID)
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        assert await told == ReplyOutcome(STORED)
    assert world.network.times("crm") == pytest.approx([0, 1, 6], abs=0.01)


@on_virtual_time
async def test_each_attempt_for_a_reply_stands_in_its_dead_letter() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN, answered(503), answered(500))
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        assert await told == ReplyOutcome(None)
    # The next attempt would be due at 36 s, when nobody waits any more.
    assert world.clock.monotonic() == pytest.approx(6.0, abs=0.01)
    [letter] = await world.dead_letters()
    assert (letter.kind, letter.reason) == (Kind.REPLY, "window_closed")
    outcomes = [attempt.outcome for attempt in letter.attempts]
    assert outcomes == ["connection", "http_503", "http_500"]
    assert world.observed.deaths == [("crm", "window_closed")]


@on_virtual_time
async def test_the_fallback_is_free_at_once_when_no_further_try_fits() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN)
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1", within_s=0.9))
        assert await told == ReplyOutcome(None)
    assert world.clock.monotonic() == pytest.approx(0.0, abs=0.01)
    assert (await state_of(world, "evt_1"))[0] is ReplyState.GIVEN_UP


@on_virtual_time
async def test_an_invalid_reply_is_given_up_at_once() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(Outcome(DELIVERED, 200, b'{"reply": {"type": "poem"}}'))
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        assert await told == ReplyOutcome(None)
    [letter] = await world.dead_letters()
    assert letter.reason == "invalid_reply"
    assert [attempt.outcome for attempt in letter.attempts] == ["invalid_reply"]
    assert world.observed.attempts == [("crm", "invalid_reply")]


@on_virtual_time
async def test_a_reply_waits_for_no_copy() -> None:
    world = World("crm", concurrency=2)
    world.network.scripts["crm"] = hangs
    await world.accept(*(arrival(f"evt_{number}", "crm") for number in range(50)))
    async with world.replica() as replica:
        await asyncio.sleep(0.5)
        world.network.scripts["crm"] = says(SAID)
        told = replica.board.expect("evt_asked")
        replica.dispatcher.run_reply(await world.reply_lease("evt_asked"))
        assert await told == ReplyOutcome(STORED)
    assert world.clock.monotonic() == pytest.approx(0.5, abs=0.01)


@on_virtual_time
async def test_a_repetition_waits_for_no_copy_either() -> None:
    world = World("crm", concurrency=1)
    world.network.scripts["crm"] = hangs
    await world.accept(*(arrival(f"evt_{number}", "crm") for number in range(5)))
    async with world.replica() as replica:
        await asyncio.sleep(0.5)
        world.network.scripts["crm"] = says(DOWN, SAID)
        told = replica.board.expect("evt_asked")
        replica.dispatcher.run_reply(await world.reply_lease("evt_asked"))
        assert await told == ReplyOutcome(STORED)
    assert world.clock.monotonic() == pytest.approx(1.5, abs=0.01)


@on_virtual_time
async def test_replies_beyond_the_places_wait_for_one_in_order() -> None:
    world = World("crm", concurrency=2)
    world.network.scripts["crm"] = takes(1.0, SAID)
    async with world.replica(running=False) as replica:
        told = [replica.board.expect(f"evt_{number}") for number in range(6)]
        for number in range(6):
            replica.dispatcher.run_reply(await world.reply_lease(f"evt_{number}"))
        await asyncio.gather(*told)
    assert world.network.most["crm"] == 2
    assert [event for _, event in world.network.sent["crm"]] == [f"evt_{n}" for n in range(6)]


@on_virtual_time
async def test_a_reply_that_gets_no_place_in_its_window_is_left_to_later() -> None:
    world = World("crm", concurrency=1)
    world.network.scripts["crm"] = hangs
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_2")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        replica.dispatcher.run_reply(await world.reply_lease("evt_2", within_s=4.5))
        assert await told == ReplyOutcome(None)
        assert world.clock.monotonic() == pytest.approx(4.5, abs=0.01)
        await asyncio.sleep(0.1)
        [delivery] = await world.inbox.lease({"crm": 9}, owner="two")
    assert (delivery.event_id, delivery.cut_off, delivery.failures) == ("evt_2", 0, 0)


@on_virtual_time
async def test_more_replies_than_may_wait_are_turned_away_at_once() -> None:
    world = World("crm", concurrency=1)
    world.network.scripts["crm"] = hangs
    async with world.replica(running=False) as replica:
        for number in range(9):
            replica.dispatcher.run_reply(await world.reply_lease(f"evt_{number}"))
        told = replica.board.expect("evt_last")
        replica.dispatcher.run_reply(await world.reply_lease("evt_last"))
        assert await told == ReplyOutcome(None)
        assert not replica.dispatcher.attempts("evt_last")


@on_virtual_time
async def test_an_answer_goes_out_though_the_store_is_away() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(1.0, SAID)
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        await asyncio.sleep(0.5)
        world.inbox.shut = True
        assert await told == ReplyOutcome(STORED)
        assert world.clock.monotonic() <= 1.6
        world.inbox.shut = False
        await asyncio.sleep(3)
        assert await state_of(world, "evt_1") == (ReplyState.ANSWERED, STORED)
    assert len(world.network.sent["crm"]) == 1


@on_virtual_time
async def test_without_its_store_a_failed_attempt_is_given_up_for_now() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN, SAID)
    async with world.replica() as replica:
        told = replica.board.expect("evt_1")
        lease = await world.reply_lease("evt_1")
        world.inbox.shut = True
        replica.dispatcher.run_reply(lease)
        assert await told == ReplyOutcome(None)
        assert world.clock.monotonic() == pytest.approx(1.0, abs=0.01)
        await asyncio.sleep(3)
        world.inbox.shut = False
        await asyncio.sleep(15)
    assert (await world.inbox.depth()).events == 0
    assert len(world.network.sent["crm"]) == 2


@on_virtual_time
async def test_another_process_takes_over_an_attempt_that_was_cut_off() -> None:
    world = World("crm")
    world.network.scripts["crm"] = hangs
    async with world.replica("one", running=False) as replica:
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        await asyncio.sleep(1)
    world.network.scripts["crm"] = says(SAID)
    async with world.replica("two"):
        await asyncio.sleep(4)
    assert await state_of(world, "evt_1") == (ReplyState.ANSWERED, STORED)


@on_virtual_time
async def test_who_waits_here_hears_of_an_attempt_that_another_process_took_over() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN)
    async with world.replica("one", running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        await asyncio.sleep(0.5)
        world.clock.skew_s += 0.6  # the next attempt is due for somebody whose time is right
        other = (await world.inbox.join("shop", "evt_1", owner="two")).lease
        assert other is not None
        world.network.scripts["crm"] = takes(2.0, SAID)
        async with world.replica("two", running=False) as second:
            second.dispatcher.run_reply(other)
            assert await told == ReplyOutcome(STORED)
    assert len(world.network.sent["crm"]) == 2


@pytest.mark.parametrize("outcome", [DOWN, answered(410)])
def test_a_failure_under_a_void_lease_leaves_the_answer_to_its_new_holder(
    outcome: Outcome,
) -> None:
    on_virtual_time(partial(_lose_the_lease, outcome))()


async def _lose_the_lease(outcome: Outcome) -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(3.0, outcome)
    async with world.replica("one", running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        await asyncio.sleep(0.5)
        world.clock.skew_s += 5
        other = (await world.inbox.join("shop", "evt_1", owner="two")).lease
        assert other is not None
        world.network.scripts["crm"] = takes(4.0, SAID)
        async with world.replica("two", running=False) as second:
            second.dispatcher.run_reply(other)
            assert await told == ReplyOutcome(STORED)


@on_virtual_time
async def test_a_reply_after_its_window_is_asked_for_once_and_not_repeated() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN)
    await world.reply_lease("evt_1", within_s=4.5)  # whoever got it died
    await asyncio.sleep(10)
    async with world.replica():
        await asyncio.sleep(60)
    assert world.network.times("crm") == [10.0]
    [letter] = await world.dead_letters()
    assert letter.reason == "window_closed"


@on_virtual_time
async def test_a_reply_that_two_processes_died_over_is_given_up_after_its_window() -> None:
    world = World("crm")
    await world.reply_lease("evt_1", within_s=4.5)
    await asyncio.sleep(10)
    assert len(await world.inbox.lease({"crm": 1}, owner="two")) == 1
    await asyncio.sleep(10)
    async with world.replica():
        await asyncio.sleep(5)
    assert world.network.sent["crm"] == []
    assert world.observed.deaths == [("crm", "cut_off")]


@on_virtual_time
async def test_a_late_answer_ends_the_delivery() -> None:
    world = World("crm")
    world.network.scripts["crm"] = takes(20.0, SAID)
    async with world.replica(running=False) as replica:
        replica.dispatcher.run_reply(await world.reply_lease("evt_1", within_s=4.5))
        await asyncio.sleep(21)
    assert (await world.inbox.depth()).events == 0
    assert await world.dead_letters() == ()


@on_virtual_time
async def test_a_reply_of_a_target_that_is_not_configured_is_not_waited_for() -> None:
    world = World()
    async with world.replica() as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        assert await told == ReplyOutcome(None)
        world.targets["crm"] = target_at("http://target", "crm")
        world.network.scripts["crm"] = says(SAID)
        await asyncio.sleep(2)
    assert await state_of(world, "evt_1") == (ReplyState.ANSWERED, STORED)


@on_virtual_time
async def test_draining_lets_an_attempt_end_and_gives_back_what_waits() -> None:
    world = World("crm", concurrency=1)
    world.network.scripts["crm"] = takes(1.0, SAID)
    async with world.replica(running=False) as replica:
        told = {name: replica.board.expect(name) for name in ("asked", "waits", "late")}
        replica.dispatcher.run_reply(await world.reply_lease("asked"))
        replica.dispatcher.run_reply(await world.reply_lease("waits"))
        late = await world.reply_lease("late")
        await asyncio.sleep(0.5)
        draining = asyncio.ensure_future(replica.dispatcher.drain(5.0))
        await asyncio.sleep(0.1)
        assert told["waits"].result() == ReplyOutcome(None)
        replica.dispatcher.run_reply(late)
        assert told["late"].result() == ReplyOutcome(None)
        await draining
        assert told["asked"].result() == ReplyOutcome(STORED)
    assert world.clock.monotonic() == pytest.approx(1.0, abs=0.01)
    given_back = await world.inbox.lease({"crm": 9}, owner="two")
    assert {each.event_id for each in given_back} == {"waits", "late"}
    assert {each.cut_off for each in given_back} == {0}


@on_virtual_time
async def test_draining_does_not_wait_for_the_next_attempt() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(answered(503), answered(503), SAID)
    async with world.replica(running=False) as replica:
        told = replica.board.expect("evt_1")
        replica.dispatcher.run_reply(await world.reply_lease("evt_1"))
        await asyncio.sleep(2)  # the next is due at 6
        await replica.dispatcher.drain(5.0)
        assert await told == ReplyOutcome(None)
    assert world.clock.monotonic() == pytest.approx(2.0, abs=0.01)


@on_virtual_time
async def test_a_lease_found_due_inside_the_window_is_repeated_too() -> None:
    world = World("crm")
    world.network.scripts["crm"] = says(DOWN, SAID)
    lease = await world.reply_lease("evt_1")
    await world.inbox.settle([Settlement(lease, Release())])
    async with world.replica() as replica:
        told = replica.board.expect("evt_1")
        assert await told == ReplyOutcome(STORED)
    assert world.network.times("crm") == pytest.approx([0, 1], abs=0.05)
