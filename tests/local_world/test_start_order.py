"""When parts begin, and how long the world waits for them. Their processes are stand-ins here."""

from __future__ import annotations

import itertools
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pytest_aiohttp.plugin import AiohttpServer

from menu_worker.worker import BAD_FILES
from zhongkong.local_world.plan import HOPELESS, Part, RealWeChat, parts
from zhongkong.local_world.processes import Household
from zhongkong.local_world.start import LAG_S, READY_WITHIN_S, Start
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.startup import CannotStart


class Services:
    """Answers for every part: what it says of itself by name, None when it is ready."""

    def __init__(self) -> None:
        self.reasons: dict[str, str | None] = {}
        self.server: TestServer | None = None

    async def readyz(self, request: web.Request) -> web.Response:
        reason = self.reasons[request.match_info["name"]]
        if reason is None:
            return web.json_response({"status": "ready"})
        return web.json_response({"status": "not ready", "reason": reason}, status=503)

    def part(self, name: str, *, needs: tuple[str, ...] = (), may_lag: bool = False) -> Part:
        assert self.server is not None
        self.reasons.setdefault(name, None)
        return Part(
            name=name,
            module=name,
            arguments=(),
            ready_url=str(self.server.make_url(f"/{name}")),
            stop_within_s=1.0,
            loads=name,
            needs=needs,
            may_lag=may_lag,
        )


class Staff:
    """In place of a household. What `begun` a part may do to the services is in `on_begin`."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.begun: list[tuple[str, int]] = []

    async def start(self, part: Part) -> None:
        self.started.append(part.name)

    def begin(self, part: Part) -> None:
        self.begun.append((part.name, len(self.started)))

    def require_all(self) -> None:
        """All of them live."""


class HastyClock:
    """A second passes with each reading."""

    def __init__(self) -> None:
        self._seconds = itertools.count()
        self.read = 0

    def monotonic(self) -> float:
        self.read = next(self._seconds)
        return float(self.read)

    def now(self) -> float:
        raise AssertionError("nothing here depends on the time of day")

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("waits end when a stop is requested")


@pytest.fixture
async def services(aiohttp_server: AiohttpServer, monkeypatch: pytest.MonkeyPatch) -> Services:
    """They are looked at without a pause, as their clock has none."""
    monkeypatch.setattr("zhongkong.local_world.start._LOOK_EVERY_S", 0.0)
    made = Services()
    app = web.Application()
    app.router.add_get("/{name}", made.readyz)
    made.server = await aiohttp_server(app)
    return made


def start_of(staff: Staff, *all_parts: Part, stop: Stop | None = None) -> Start:
    return Start(cast(Household, staff), all_parts, stop or Stop(), HastyClock())


async def test_all_are_started_at_once_and_begin_when_those_they_need_are_ready(
    services: Services,
) -> None:
    staff = Staff()
    last = services.part("last", needs=("first", "second"))
    second = services.part("second", needs=("first",))
    assert await start_of(staff, last, second, services.part("first")).run()
    assert staff.started == ["last", "second", "first"]
    assert staff.begun == [("first", 3), ("second", 3), ("last", 3)]


async def test_a_part_that_may_lag_is_waited_for_a_while_and_then_named(
    services: Services,
) -> None:
    menus = services.part("menus", may_lag=True)
    services.reasons["menus"] = "desired menus are not verified live yet"
    start = start_of(Staff(), services.part("tokens"), menus)
    assert await start.run()
    assert start.lagging == {"menus": "desired menus are not verified live yet"}


async def test_what_waiting_does_not_change_is_not_waited_for(services: Services) -> None:
    assert {BAD_FILES} == HOPELESS
    menus = services.part("menus", may_lag=True)
    services.reasons["menus"] = BAD_FILES
    clock = HastyClock()
    start = Start(cast(Household, Staff()), [menus], Stop(), clock)
    assert await start.run()
    assert start.lagging == {"menus": BAD_FILES}
    assert clock.read < LAG_S


async def test_a_part_that_is_needed_and_never_ready_is_named(services: Services) -> None:
    tokens = services.part("tokens")
    services.reasons["tokens"] = "starting"
    with pytest.raises(CannotStart, match=f"tokens isn't ready after {READY_WITHIN_S:.0f} s"):
        await start_of(Staff(), tokens).run()


async def test_a_part_that_nobody_answers_for_is_named_though_it_may_lag(
    services: Services,
) -> None:
    silent = Part("menus", "m", (), "http://127.0.0.1:1/readyz", 1.0, "m", may_lag=True)
    with pytest.raises(CannotStart, match="menus isn't ready"):
        await start_of(Staff(), silent).run()


async def test_a_stop_ends_the_wait(services: Services) -> None:
    tokens = services.part("tokens")
    services.reasons["tokens"] = "starting"
    stop = Stop()
    stop.request("SIGINT")
    assert not await start_of(Staff(), tokens, stop=stop).run()


@pytest.mark.parametrize("real", [None, RealWeChat("wx1")])
def test_every_part_needs_only_parts_that_there_are(real: RealWeChat | None) -> None:
    world = parts(8080, "folder", real)
    names = [part.name for part in world]
    # Those that are needed stand before, so that they end after.
    for number, part in enumerate(world):
        assert set(part.needs) <= set(names[:number])
