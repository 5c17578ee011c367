from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from zhongkong.runtime.admin import Guard, host_of, internal_app, is_loopback
from zhongkong.runtime.health import Readiness
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.listeners import Listener, Listeners

ADMIN = "admin-key-0123456789abcdefghij"
METRICS = "metrics-key-0123456789abcdefgh"
SHOWN = ("/metrics", "/v1/status")


@dataclass
class Internal:
    session: aiohttp.ClientSession
    port: int
    stop: Stop

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.get(url, headers=headers) as response:
            return response.status, await response.read()

    async def post(self, path: str, **headers: str) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.post(url, headers=headers) as response:
            return response.status, await response.read()


def sha256_of(key: str | None) -> str | None:
    return None if key is None else hashlib.sha256(key.encode()).hexdigest()


@asynccontextmanager
async def internal(
    *,
    key: str | None = None,
    metrics_key: str | None = None,
    not_ready: Callable[[], str | None] = lambda: None,
) -> AsyncIterator[Internal]:
    stop = Stop()
    guard = Guard(
        ["status.internal"],
        sha256_of(key),
        service="example",
        metrics_key_sha256=sha256_of(metrics_key),
    )
    app = internal_app(
        guard,
        Readiness(not_ready, stop),
        status=lambda: {"fine": True},
        metrics=lambda: b"example_up 1\n",
    )

    async def change(request: web.Request) -> web.Response:
        return web.json_response({"knows": guard.knows(request)})

    app.router.add_post("/v1/change", change)
    async with (
        aiohttp.ClientSession() as session,
        await Listeners.open([Listener(app, "127.0.0.1", 0, "internal")]) as listeners,
    ):
        yield Internal(session, listeners.port("internal"), stop)


@pytest.mark.parametrize("path", SHOWN)
async def test_without_an_admin_key_this_machine_may_read(path: str) -> None:
    async with internal() as it:
        assert (await it.get(path))[0] == 200


@pytest.mark.parametrize("path", SHOWN)
async def test_with_an_admin_key_only_its_holder_may_read(path: str) -> None:
    async with internal(key=ADMIN) as it:
        assert (await it.get(path))[0] == 401
        assert (await it.get(path, Authorization="Bearer wrong-key-0123456789abcdef"))[0] == 401
        assert (await it.get(path, Authorization=f"Bearer {ADMIN}"))[0] == 200


async def test_nothing_is_changed_without_a_configured_key() -> None:
    async with internal() as it:
        assert (await it.post("/v1/change"))[0] == 401
    async with internal(key=ADMIN) as it:
        assert (await it.post("/v1/change"))[0] == 401
        assert (await it.post("/v1/change", Authorization=f"Bearer {ADMIN}"))[0] == 200


async def test_who_is_refused_is_told_which_key_is_wanted() -> None:
    async with internal(key=ADMIN) as it:
        url = f"http://127.0.0.1:{it.port}/v1/status"
        async with it.session.get(url) as response:
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="example admin"'
            assert "admin_key_sha256" in (await response.json(content_type=None))["detail"]


async def test_the_metrics_key_opens_the_metrics() -> None:
    async with internal(key=ADMIN, metrics_key=METRICS) as it:
        assert (await it.get("/metrics", Authorization=f"Bearer {METRICS}"))[0] == 200
        assert (await it.get("/metrics", Authorization=f"Bearer {ADMIN}"))[0] == 200
        assert (await it.get("/metrics", Authorization=f"Bearer {METRICS}x"))[0] == 401
        assert (await it.get("/metrics"))[0] == 401


async def test_the_metrics_key_opens_nothing_else() -> None:
    async with internal(key=ADMIN, metrics_key=METRICS) as it:
        assert (await it.get("/v1/status", Authorization=f"Bearer {METRICS}"))[0] == 401
        assert (await it.post("/v1/change", Authorization=f"Bearer {METRICS}"))[0] == 401
        assert (await it.post("/metrics", Authorization=f"Bearer {METRICS}"))[0] == 401
        assert (await it.get("/metrics/", Authorization=f"Bearer {METRICS}"))[0] == 401


async def test_a_metrics_key_alone_leaves_the_rest_as_without_keys() -> None:
    async with internal(metrics_key=METRICS) as it:
        assert (await it.get("/metrics", Authorization=f"Bearer {METRICS}"))[0] == 200
        assert (await it.get("/v1/status"))[0] == 200
        assert (await it.post("/v1/change", Authorization=f"Bearer {METRICS}"))[0] == 401


async def test_the_metrics_key_is_no_way_round_the_name_of_the_host() -> None:
    async with internal(metrics_key=METRICS) as it:
        key = f"Bearer {METRICS}"
        assert (await it.get("/metrics", Authorization=key, Host="evil.example:9081"))[0] == 403


@pytest.mark.parametrize("path", SHOWN)
async def test_another_site_s_name_for_this_machine_is_refused(path: str) -> None:
    async with internal() as it:
        assert (await it.get(path, Host="evil.example:9081"))[0] == 403
        assert (await it.get(path, Host="STATUS.internal"))[0] == 200
        assert (await it.get(path, Host="localhost:9081"))[0] == 200
        assert (await it.get(path, Host="[::1]:9081"))[0] == 200


async def test_probes_need_neither_key_nor_name() -> None:
    async with internal(key=ADMIN) as it:
        assert (await it.get("/healthz", Host="10.1.2.3:9081"))[0] == 200
        assert (await it.get("/readyz", Host="10.1.2.3:9081"))[0] == 200


async def test_readyz_is_503_while_starting_and_while_draining() -> None:
    reasons = ["starting"]
    async with internal(not_ready=lambda: reasons[0] if reasons else None) as it:
        assert (await it.get("/readyz"))[0] == 503
        reasons.clear()
        assert (await it.get("/readyz"))[0] == 200
        it.stop.request("test")
        assert (await it.get("/readyz"))[0] == 503
        assert (await it.get("/healthz"))[0] == 200


async def test_nothing_stands_at_the_root_yet() -> None:
    async with internal() as it:
        assert (await it.get("/"))[0] == 404


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("localhost.evil", False),
        ("", False),
    ],
)
def test_only_this_machine_s_own_addresses_are_loopback(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_the_port_is_no_part_of_a_host() -> None:
    assert host_of("LocalHost:80") == "localhost"
    assert host_of("[::1]:80") == "::1"
    assert host_of("") == ""
