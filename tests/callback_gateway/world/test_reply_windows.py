"""Reply windows as users live them, judged by what the emulator showed them.

Everything takes the part SCALE of its time: WeChat's cadence of 5 s, the gateway's 3.75 s and the
handlers' 6 and 12 s, so that each answer has time to spare. Leases last 2.5 s, as they do
everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.callback_gateway.world.front import Front, round_robin
from tests.callback_gateway.world.gateway import Gateway
from tests.callback_gateway.world.handlers import Call, HandlerProcess
from tests.callback_gateway.world.world import PRIVATE, World, world as make_world
from tests.chaos.emulated import EmulatorProcess
from tests.chaos.patience import eventually
from tests.fixtures.processes import Launch
from tests.fixtures.redis import RedisServer

pytestmark = pytest.mark.slow

SCALE = 0.8
COURSE = {"deadline_s": 5 * SCALE, "cadence_s": 5 * SCALE}
REPLY, FALLBACK = "已为您买入", "正在处理，请稍候"
HANDLERS_S = {"quick": 0.2, "six": 6.0, "twelve": 12.0, "never": 40.0}


@dataclass(frozen=True)
class Told:
    """One user's evening. `feed`: what they saw; `tries`: how WeChat found each try answered."""

    feed: list[tuple[str, str]]
    tries: list[str]
    last_took_s: float
    calls: list[Call]


Evening = Mapping[str, Told]


def route(user: str, handler: str, window: str) -> dict[str, Any]:
    return {
        "match": {"user": user},
        "reply": handler,
        "reply_window": window,
        "fallback": {"type": "text", "content": FALLBACK},
    }


ROUTES = {
    "oQuick": ("quick", "15s"),
    "oSix": ("six", "15s"),
    "oTwelve": ("twelve", "15s"),
    "oNever": ("never", "15s"),
    "oTwelveInShort": ("twelve", "4.5s"),
}


def settings(it: World, run: str, store: str) -> dict[str, Any]:
    """`run` keeps apart what came to the handlers."""
    return {
        "store": store,
        "durability": "process",
        "answer_within": f"{3750 * SCALE:.0f}ms",
        "retry_every": f"{5000 * SCALE:.0f}ms",
        "targets": {
            name: it.target(f"{run}-{name}", seconds=seconds * SCALE, says=REPLY)
            for name, seconds in HANDLERS_S.items()
        },
        "routes": [route(user, *asks) for user, asks in ROUTES.items()],
    }


@asynccontextmanager
async def deployed(it: World, run: str, *stores: str) -> AsyncIterator[tuple[Front, list[Gateway]]]:
    """A replica for each of `stores`, behind one front that WeChat calls."""
    gateways = [
        it.gateway(f"{run}-{number}", settings(it, run, store))
        for number, store in enumerate(stores)
    ]
    await asyncio.gather(*(gateway.start() for gateway in gateways))
    async with round_robin(*(gateway.port for gateway in gateways)) as front:
        await it.call_back(f"http://127.0.0.1:{front.port}/callback/shop")
        yield front, gateways


async def live(it: World, run: str, user: str) -> Told:
    push = await it.push({"user": user, "text": PRIVATE, "course": COURSE})
    calls = await it.calls(f"{run}-{ROUTES[user][0]}")
    return Told(
        await it.feed(user),
        [each["answer"] for each in push["tries"]],
        push["tries"][-1]["took_s"],
        [call for call in calls if call.event["subject"] == user],
    )


async def evening_of_all(it: World, run: str, *stores: str) -> Evening:
    """All users at once, each with a story of their own: they must not disturb each other."""
    async with deployed(it, run, *stores):
        told = await asyncio.gather(*(live(it, run, user) for user in ROUTES))
        return dict(zip(ROUTES, told, strict=True))


async def evening_with_a_crash(it: World, run: str, *stores: str) -> Evening:
    """The replica that asked the handler is killed at once."""
    async with deployed(it, run, *stores) as (front, gateways):
        story = asyncio.create_task(live(it, run, "oSix"))

        async def asked() -> bool:
            return bool(await it.calls(f"{run}-six"))

        await eventually(asked, "the handler is asked")
        next(each for each in gateways if each.port == front.chosen[-1]).kill()
        return {"oSix": await story}


@pytest.fixture(scope="module")
def evenings(
    tmp_path_factory: pytest.TempPathFactory,
    emulator: EmulatorProcess,
    handler: HandlerProcess,
    launch: Launch,
    redis_process: RedisServer,
) -> dict[str, Evening]:
    """Three deployments at once: nearly all of their time is waiting."""
    redis_process.start()
    redis_process.flush()
    redis = redis_process.url.removesuffix("/0")

    async def run(name: str, evening: Callable[..., Awaitable[Evening]], *stores: str) -> Evening:
        folder = tmp_path_factory.mktemp(name)
        async with make_world(folder, emulator, handler, launch) as it:
            return await evening(it, name, *stores)

    async def all_at_once() -> dict[str, Evening]:
        one, two, crash = await asyncio.gather(
            run("one", evening_of_all, "sqlite:///events.db"),
            run("two", evening_of_all, *[f"{redis}/0"] * 2),
            run("crash", evening_with_a_crash, *[f"{redis}/1"] * 2),
        )
        return {"one": one, "two": two, "crash": crash}

    return asyncio.run(all_at_once())


@pytest.fixture(
    params=[
        pytest.param("one", id="one replica on SQLite"),
        pytest.param("two", id="two replicas on Redis"),
    ]
)
def evening(request: pytest.FixtureRequest, evenings: Mapping[str, Evening]) -> Evening:
    return evenings[request.param]


def test_a_quick_handler_s_reply_comes_with_the_first_try(evening: Evening) -> None:
    told = evening["oQuick"]
    assert told.feed == [("reply", REPLY)]
    assert told.tries == ["encrypted_reply"]


def test_a_handler_of_6_s_is_heard_through_the_second_try(evening: Evening) -> None:
    told = evening["oSix"]
    assert told.feed == [("reply", REPLY)]
    assert told.tries == ["timeout", "encrypted_reply"]
    assert len(told.calls) == 1


def test_a_handler_of_12_s_is_heard_through_the_third_try(evening: Evening) -> None:
    told = evening["oTwelve"]
    assert told.feed == [("reply", REPLY)]
    assert told.tries == ["timeout", "timeout", "encrypted_reply"]
    assert len(told.calls) == 1


def test_a_handler_beyond_the_long_window_leaves_the_user_with_the_fallback(
    evening: Evening,
) -> None:
    told = evening["oNever"]
    assert told.feed == [("reply", FALLBACK)]
    assert told.tries == ["timeout", "timeout", "encrypted_reply"]


def test_the_short_window_says_the_fallback_within_the_first_try(evening: Evening) -> None:
    told = evening["oTwelveInShort"]
    assert told.feed == [("reply", FALLBACK)]
    assert told.tries == ["encrypted_reply"]
    assert told.last_took_s < 5 * SCALE


def test_a_killed_replica_s_attempt_is_taken_over_and_the_user_gets_the_reply(
    evenings: Mapping[str, Evening],
) -> None:
    told = evenings["crash"]["oSix"]
    assert told.feed == [("reply", REPLY)]
    assert told.tries[0] == "connection"
    assert told.tries[-1] == "encrypted_reply"
    assert [call.webhook_id for call in told.calls] == [told.calls[0].webhook_id] * 2
