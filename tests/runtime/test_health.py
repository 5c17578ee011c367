from __future__ import annotations

from collections.abc import Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from zhongkong.runtime.health import Readiness, add_health
from zhongkong.runtime.lifecycle import Stop


async def ask(path: str, reason: Callable[[], str | None], stop: Stop) -> tuple[int, object]:
    app = web.Application()
    add_health(app, Readiness(reason, stop))
    async with TestClient(TestServer(app)) as client, client.get(path) as response:
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.json()


async def test_health_says_only_that_the_loop_turns() -> None:
    assert await ask("/healthz", lambda: "starting", Stop()) == (200, {"status": "alive"})


async def test_a_ready_process_is_ready() -> None:
    assert await ask("/readyz", lambda: None, Stop()) == (200, {"status": "ready"})


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        pytest.param("starting", "starting", id="a few words are shown"),
        pytest.param("account wx0123456789abcdef", "not ready", id="a name is not"),
        pytest.param("http://redis:6379", "not ready", id="nor an address"),
        pytest.param("", "not ready", id="nor nothing"),
    ],
)
async def test_an_unready_process_gives_a_reason_without_names(reason: str, shown: str) -> None:
    status, body = await ask("/readyz", lambda: reason, Stop())
    assert (status, body) == (503, {"status": "not ready", "reason": shown})


async def test_a_stopping_process_is_draining_whatever_it_thinks() -> None:
    stop = Stop()
    stop.request("SIGTERM")
    status, body = await ask("/readyz", lambda: None, stop)
    assert (status, body) == (503, {"status": "not ready", "reason": "draining"})
