"""One target dead, one slow, one healthy, under load: what each of them gets, and when."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.callback_gateway.world.gateway import Gateway
from tests.callback_gateway.world.handlers import Call, HandlerProcess, handler_process, handler_url
from tests.callback_gateway.world.world import World, target
from tests.chaos.patience import eventually
from tests.fixtures.processes import Launch
from tests.fixtures.redis import RedisServer, free_port

pytestmark = pytest.mark.slow

EVENTS, RATE = 120, 120
FURTHER = 20
SLOW_S = 30.0
"""So long the slow target takes for one event."""
LAG_AT_MOST_S = SLOW_S / 3
"""Of the healthy target: nothing that it gets has waited for the slow one."""
SCHEDULE = ["100ms", "200ms"]


@pytest.fixture(params=["SQLite", "Redis"])
def store(request: pytest.FixtureRequest) -> str:
    if request.param == "SQLite":
        return "sqlite:///events.db"
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


def settings(it: World, store: str, dead_port: int) -> dict[str, Any]:
    return {
        "store": store,
        "durability": "process",
        "schedule": SCHEDULE,
        "targets": {
            "dead": target(handler_url(dead_port, "dead")),
            "slow": it.target(it.account.appid + "-slow", seconds=SLOW_S),
            "healthy": it.target(it.account.appid + "-healthy"),
        },
        "routes": [{"match": {}, "notify": ["dead", "slow", "healthy"]}],
    }


async def load(it: World) -> dict[str, float]:
    """EVENTS callbacks at RATE a second; when each was sent, by MsgId."""
    path = f"/accounts/{it.account.appid}/pushes/bulk?wait_s=60"
    push = {"text": "message {n}"}
    bulk = {"push": push, "count": EVENTS, "users": 40, "rate_per_s": RATE, "concurrency": 64}
    summary = await it.wechat.control("POST", path, bulk)
    assert summary["outcomes"] == {"answered": EVENTS}
    assert summary["tries"] == EVENTS
    page = await it.wechat.control("GET", f"/callbacks?appid={it.account.appid}&count={EVENTS}")
    return {str(one["identity"]["msg_id"]): one["at"] for one in page["callbacks"]}


async def dead_letters(gateway: Gateway, count: int) -> None:
    async def there() -> bool:
        return len(await gateway.dead_letters("dead")) == count

    await eventually(there, f"{count} dead letters stand")


async def delivered(it: World, handler: HandlerProcess, name: str, count: int) -> list[Call]:
    async def there() -> list[Call] | None:
        calls = await handler.calls(it.session, name)
        return calls if len(calls) >= count else None

    return await eventually(there, f"{name} has got {count}")


async def test_a_dead_and_a_slow_target_hold_up_nobody_and_the_dead_one_gets_all_in_the_end(
    world: World, store: str, launch: Launch
) -> None:
    dead_port = free_port()
    gateway = world.gateway("gateway", settings(world, store, dead_port))
    await gateway.start()
    await world.call_back(gateway.callback_url)

    sent = await load(world)
    calls = await delivered(world, world.handler, f"{world.account.appid}-healthy", EVENTS)
    lags = sorted(call.at - sent[call.data["msg_id"]] for call in calls)
    assert Counter(call.data["msg_id"] for call in calls) == Counter(sent.keys())
    assert lags[-1] < LAG_AT_MOST_S, f"of {EVENTS} lags the largest are {lags[-5:]}"
    # The slow one has its places and no more.
    slow = await world.calls(f"{world.account.appid}-slow")
    assert len(slow) < EVENTS

    await dead_letters(gateway, EVENTS)
    reasons = {
        (each["reason"], len(each["attempts"])) for each in await gateway.dead_letters("dead")
    }
    assert reasons == {("exhausted", len(SCHEDULE) + 1)}

    with handler_process(dead_port, launch=launch) as revived:
        done = await gateway.command("dead-letters", "redrive", "--target", "dead")
        assert (done.code, done.output) == (0, f"redriven: {EVENTS}\n")
        calls = await delivered(world, revived, "dead", EVENTS)
        assert Counter(call.data["msg_id"] for call in calls) == Counter(sent.keys())
        assert all(call.redriven for call in calls)
        assert await gateway.dead_letters("dead") == []

    further = [{"user": f"oFurther{number}", "text": "x"} for number in range(FURTHER)]
    await world.pushes(further, gap_s=0)
    await dead_letters(gateway, FURTHER)
    with handler_process(dead_port, launch=launch) as revived:
        assert await gateway.redrive("dead") == FURTHER
        calls = await delivered(world, revived, "dead", FURTHER)
        assert all(call.redriven for call in calls)
    assert await gateway.redrive("dead") == 0
