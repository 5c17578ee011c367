"""How WeChat's callbacks really come: colliding, in one second, twice, overlapping, attacked."""

from __future__ import annotations

import pytest

from tests.callback_gateway.world.handlers import Call
from tests.callback_gateway.world.world import PRIVATE, World
from tests.chaos.patience import eventually
from zhongkong.emulator.callbacks.attacks import ATTACKS

pytestmark = pytest.mark.slow

REPLY = "收到"
_LAST = "the last one"
UNREADABLE = {"dtd", "external_entity", "billion_laughs", "deep_nesting", "not_utf8"}
"""Attacks whose proof is good: the message is kept as a dead letter, and answered `success`."""


@pytest.fixture
async def open_world(world: World) -> World:
    """A gateway that asks one target and sends a copy of everything to another."""
    name = world.account.appid
    gateway = world.gateway(
        "gateway",
        {
            "durability": "process",
            "targets": {
                "crm": world.target(f"{name}-crm", says=REPLY),
                # One at a time, so that nothing comes behind what was accepted after it.
                "audit": {**world.target(name), "concurrency": 1},
            },
            "routes": [
                {"match": {"type": "text"}, "reply": "crm"},
                {"match": {"event": "CLICK"}, "reply": "crm"},
                {"match": {}, "notify": "audit"},
            ],
        },
    )
    await gateway.start()
    await world.call_back(gateway.callback_url)
    return world


async def audited(it: World) -> list[Call]:
    """What the second target got; one more event behind it tells that nothing else is on its way.

    Deliveries to this target are made in the order of acceptance.
    """
    await it.push({"user": "oLast", "text": _LAST})

    async def over() -> list[Call] | None:
        calls = await it.calls(it.account.appid)
        return calls if any(call.data.get("content") == _LAST for call in calls) else None

    calls = await eventually(over, "the last event is delivered")
    return [call for call in calls if call.data.get("content") != _LAST]


async def test_two_users_messages_with_one_msg_id_are_two_events(open_world: World) -> None:
    pushes = [{"user": user, "text": PRIVATE} for user in ("oAnna", "oBert")]
    pushed = await open_world.pushes(pushes, one_msg_id=True)
    assert len({each["identity"]["msg_id"] for each in pushed}) == 1

    calls = await audited(open_world)
    assert sorted(call.event["subject"] for call in calls) == ["oAnna", "oBert"]
    assert len({call.data["msg_id"] for call in calls}) == 1
    assert len({call.webhook_id for call in calls}) == 2
    for user in ("oAnna", "oBert"):
        assert await open_world.feed(user) == [("reply", REPLY)]


async def test_two_events_of_one_user_in_one_second_are_two(open_world: World) -> None:
    clicks = [{"user": "oAnna", "click": key} for key in ("BUY_IN", "SELL", "BUY_IN")]
    pushed = await open_world.pushes(clicks, gap_s=0)
    assert len({each["identity"]["create_time"] for each in pushed}) == 1

    calls = await audited(open_world)
    # The same tap twice in one second can't be told from one that WeChat sent twice.
    assert sorted(call.data["event_key"] for call in calls) == ["BUY_IN", "SELL"]
    assert len({call.webhook_id for call in calls}) == 2
    assert [each["outcome"] for each in pushed] == ["answered"] * 3


async def test_an_unsubscribe_that_comes_again_and_again_is_one_event(open_world: World) -> None:
    await open_world.push({"user": "oAnna", "event": "subscribe"})
    course = {"duplicates": 2, "duplicate_after_s": 0.1}
    gone = await open_world.push({"user": "oAnna", "event": "unsubscribe", "course": course})
    assert [each["answer"] for each in gone["tries"]] == ["success"] * 3

    calls = await audited(open_world)
    assert sorted(call.data["event"] for call in calls) == ["subscribe", "unsubscribe"]


async def test_an_unsubscribe_that_is_pushed_twice_in_its_second_is_one_event(
    open_world: World,
) -> None:
    twice = [{"user": "oAnna", "event": "unsubscribe"}] * 2
    pushed = await open_world.pushes(twice, gap_s=0)
    assert [each["outcome"] for each in pushed] == ["answered"] * 2
    assert [call.data["event"] for call in await audited(open_world)] == ["unsubscribe"]


@pytest.mark.parametrize("signs_anew", [True, False])
async def test_tries_that_overlap_are_one_event_and_one_reply(
    open_world: World, signs_anew: bool
) -> None:
    course = {"cadence_s": 0.0, "tries": 3, "duplicates": 3, "signs_anew": signs_anew}
    push = await open_world.push({"user": "oAnna", "text": PRIVATE, "course": course})
    assert {each["answer"] for each in push["tries"]} == {"encrypted_reply"}
    assert await open_world.feed("oAnna") == [("reply", REPLY)]

    assert len(await audited(open_world)) == 1
    crm = await open_world.calls(open_world.account.appid + "-crm")
    assert [call.event["subject"] for call in crm if call.event["subject"] != "oLast"] == ["oAnna"]


async def test_no_attack_gets_through(open_world: World) -> None:
    names = [name for name in ATTACKS if name != "altered_replay"]
    attacks = [{"user": "oMallory", "text": PRIVATE, "course": {"attack": name}} for name in names]
    pushed = await open_world.pushes(attacks, gap_s=0)
    outcomes = {each["attack"]: each["tries"][0]["status"] for each in pushed}
    assert {name for name, status in outcomes.items() if status == 200} == UNREADABLE
    assert outcomes.pop("huge_body") in {413, None}  # or cut off while it still comes
    assert set(outcomes.values()) == {200, 403}

    assert await audited(open_world) == []
    (gateway,) = open_world.gateways
    letters = await gateway.dead_letters("-")
    assert len(letters) == len(UNREADABLE)
