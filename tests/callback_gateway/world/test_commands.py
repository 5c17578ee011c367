"""The commands as a newcomer types them, against a gateway that runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.callback_gateway.world.gateway import Gateway
from tests.callback_gateway.world.world import World
from tests.chaos.patience import eventually

pytestmark = pytest.mark.slow

REPLY = "已为您买入"
CLICK = """\
<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>oNewcomer</FromUserName>
<CreateTime>1700000000</CreateTime><MsgType>event</MsgType><Event>CLICK</Event>
<EventKey>BUY_IN</EventKey></xml>"""
USER = "oNewcomer"


def settings(it: World) -> dict[str, Any]:
    name = it.account.appid
    return {
        "durability": "process",
        "schedule": ["50ms"],
        "targets": {
            "trading": it.target(f"{name}-trading", says=REPLY),
            "broken": it.target(f"{name}-broken", status=500),
            "gone": it.target(f"{name}-gone", status=410),
        },
        "routes": [
            {"match": {"event": "CLICK", "key": "BUY_*"}, "reply": "trading"},
            {"match": {"content": "broken*"}, "notify": "broken"},
            {"match": {"content": "gone*"}, "notify": "gone"},
            {"match": {"content": "help"}, "reply": {"type": "text", "content": "您好"}},
        ],
    }


@pytest.fixture
async def gateway(world: World) -> Gateway:
    gateway = world.gateway("gateway", settings(world))
    await gateway.start()
    await world.call_back(gateway.callback_url)
    return gateway


async def does(gateway: Gateway, *words: str, stdin: str = "", installed: bool = False) -> str:
    """What a command prints that ends well and has nothing to complain of."""
    done = await gateway.command(*words, stdin=stdin, installed=installed)
    assert (done.code, done.errors) == (0, "")
    return done.output


async def letters(gateway: Gateway, target: str, count: int) -> list[str]:
    async def there() -> list[str] | None:
        found = await gateway.dead_letters(target)
        return [each["id"] for each in found] if len(found) == count else None

    return await eventually(there, f"{target} has {count} dead letters")


async def test_the_configuration_is_checked_and_events_are_tried_on_its_routes(
    gateway: Gateway,
) -> None:
    checked = await does(gateway, "config", "check")
    assert checked.endswith("callback_gateway.yaml: good; accounts: 1, targets: 3, routes: 4\n")

    event = gateway.config.with_name("event.xml")
    event.write_text(CLICK)
    from_file = await does(gateway, "routes", "test", str(event))
    assert from_file == await does(gateway, "routes", "test", "-", stdin=CLICK, installed=True)
    told = from_file.splitlines()
    assert told[0] == f"event CLICK of {USER} to account shop"
    assert told[-2].startswith("answer: target trading is asked, within 4.5 s, by ")
    assert told[-1] == "copies: none"

    none = await gateway.command("routes", "test", "-", stdin="hello")
    assert (none.code, none.output) == (1, "")
    assert "this is no event" in none.errors


async def test_a_test_callback_is_sent_and_answered_and_shows_in_the_status(
    gateway: Gateway,
) -> None:
    sent = await does(gateway, "send", "--account", "shop", "--type", "text", "--content", "help")
    assert sent.startswith("status 200, try 1 of 3\n")
    assert "您好" in sent
    click = ("--event", "CLICK", "--key", "BUY_IN", "--user", USER)
    tapped = await does(gateway, "send", *click, installed=True)
    assert REPLY in tapped
    unrouted = await does(gateway, "send", "--content", "what nobody answers")
    assert unrouted == "status 200, try 1 of 3\nsuccess\n"

    status = await does(gateway, "status")
    for word in ("shop", "safe", "static 1", "replied 1", "new 1", "trading", "broken", "gone"):
        assert word in status
    document = json.loads(await does(gateway, "status", "--json"))
    assert document["accounts"][0]["answered"] == {"static": 1, "replied": 1, "new": 1}


async def test_dead_letters_are_listed_shown_redriven_and_dropped(
    world: World, gateway: Gateway
) -> None:
    texts = [{"user": USER, "text": f"broken {number}"} for number in range(3)]
    await world.pushes(texts)
    ids = await letters(gateway, "broken", 3)

    listed = await does(gateway, "dead-letters", "list", "--target", "broken")
    assert all(each in listed for each in ids)
    assert "exhausted" in listed
    first = await does(gateway, "dead-letters", "list", "--limit", "1")
    assert ids[0] in first
    assert ids[1] not in first
    after = first.rsplit("--after ", 1)[1].strip()
    second = await does(gateway, "dead-letters", "list", "--limit", "1", "--after", after)
    assert ids[1] in second

    shown = json.loads(await does(gateway, "dead-letters", "show", ids[0]))
    assert shown["event"]["data"]["content"] in {text["text"] for text in texts}
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["http_500"] * 2
    keyless = await gateway.command("dead-letters", "show", ids[0], key="")
    assert keyless.code == 1
    assert "admin key" in keyless.errors

    assert await does(gateway, "dead-letters", "redrive", ids[0]) == "redriven: 1\n"
    calls = f"{world.account.appid}-broken"

    async def redriven() -> bool:
        return any(call.redriven for call in await world.calls(calls))

    await eventually(redriven, "the redriven event is attempted, and marked")
    await letters(gateway, "broken", 3)
    assert await does(gateway, "dead-letters", "drop", ids[1]) == "dropped: 1\n"
    assert await does(gateway, "dead-letters", "drop", "--all") == "dropped: 2\n"
    gone = await gateway.command("dead-letters", "show", ids[0])
    assert (gone.code, gone.errors) == (1, "No dead letter has this id.\n")


async def test_a_target_that_said_410_gets_nothing_until_it_is_enabled(
    world: World, gateway: Gateway
) -> None:
    calls = f"{world.account.appid}-gone"
    for count in (1, 2):
        await world.push({"user": USER, "text": f"gone {count}"})
        await letters(gateway, "gone", count)
    assert len(await world.calls(calls)) == 1

    enabled = await does(gateway, "targets", "enable", "gone")
    assert enabled == "gone is enabled; `dead-letters redrive --target gone` sends the rest\n"
    assert await does(gateway, "targets", "enable", "gone") == "gone was not disabled\n"
    unknown = await gateway.command("targets", "enable", "nobody")
    assert (unknown.code, unknown.errors) == (1, "No target of this name is configured.\n")

    await does(gateway, "dead-letters", "redrive", "--target", "gone")

    async def asked_again() -> bool:
        return any(call.redriven for call in await world.calls(calls))

    await eventually(asked_again, "the enabled target is asked again")


async def test_commands_say_what_to_do_when_no_gateway_runs(gateway: Gateway) -> None:
    gateway.kill()
    for words in (("status",), ("dead-letters", "list"), ("send", "--content", "x")):
        done = await gateway.command(*words, installed=words == ("status",))
        assert (done.code, done.output) == (1, "")
        assert "callback-gateway run" in done.errors
        assert "Traceback" not in done.errors
