"""The HTTP face: shapes, headers, and faults carried out."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp.test_utils import TestClient

from tests.emulator.clocks import HeldClock
from tests.emulator.platforms import APPID, NOW, PROBE, SECRET
from zhongkong.emulator.faults import Delay, Fault
from zhongkong.emulator.world import World

Client = TestClient[Any, Any]
TOKEN = f"/cgi-bin/token?grant_type=client_credential&appid={APPID}&secret={SECRET}"
STABLE = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}


async def answer(response: aiohttp.ClientResponse) -> dict[str, Any]:
    assert response.status == 200
    return dict(orjson.loads(await response.read()))


async def test_a_token_fetched_over_http_works_on_a_business_path(wechat: Client) -> None:
    token = (await answer(await wechat.get(TOKEN)))["access_token"]
    addresses = await answer(await wechat.get(PROBE, params={"access_token": token}))
    assert addresses["ip_list"]


async def test_a_stable_token_is_posted_for_with_any_content_type(wechat: Client) -> None:
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x"}):
        response = await wechat.post(
            "/cgi-bin/stable_token", data=orjson.dumps(STABLE), headers=headers
        )
        assert (await answer(response))["expires_in"] == 7200


async def test_refusals_have_status_200_and_wechats_content_type(wechat: Client) -> None:
    response = await wechat.get("/cgi-bin/nothing")
    assert response.headers["Content-Type"] == "application/json; encoding=utf-8"
    assert (await answer(response))["errcode"] == 40066


async def test_content_types_vary_and_may_be_absent(wechat: Client, world: World) -> None:
    forms = ("application/json; encoding=utf-8", "text/plain", None)
    world.model.parameters = replace(world.model.parameters, content_types=forms)
    seen = {(await wechat.get(TOKEN)).headers.get("Content-Type") for _ in range(40)}
    assert seen == set(forms)


async def test_doubled_slashes_and_the_wrong_method_are_answered_as_wechat_would(
    wechat: Client,
) -> None:
    base = str(wechat.make_url("")).rstrip("/")
    async with aiohttp.ClientSession() as session, session.get(base + "/" + TOKEN) as doubled:
        assert "access_token" in await answer(doubled)
    assert (await answer(await wechat.delete(TOKEN)))["errcode"] == 43001
    assert (await answer(await wechat.get("/cgi-bin/stable_token")))["errcode"] == 43002


async def test_the_peer_is_the_address_of_the_connection(wechat: Client, world: World) -> None:
    await wechat.get(TOKEN, headers={"X-Forwarded-For": "203.0.113.1"})
    assert world.model.ledger.requests()[0].peer == "127.0.0.1"


async def test_a_latency_holds_the_effect_back_by_the_clock_it_was_given(
    wechat: Client, world: World, clock: HeldClock
) -> None:
    world.model.faults.add(Fault(kind="latency", delay=Delay(low_s=3)))
    world.model.faults.add(Fault(kind="latency", when="after", delay=Delay(low_s=2)))
    await wechat.get(TOKEN)
    assert clock.slept == [3, 2]
    assert world.model.ledger.issued()[0].at == NOW + 3
    assert world.model.ledger.requests()[0].cost_ms >= 5000


@pytest.mark.parametrize(("when", "mints"), [("before", 0), ("after", 1)])
async def test_a_disconnect_resets_the_connection_before_or_after_the_effect(
    wechat: Client, world: World, when: Any, mints: int
) -> None:
    world.model.faults.add(Fault(kind="disconnect", when=when))
    with pytest.raises(aiohttp.ClientConnectionError):
        await wechat.get(TOKEN)
    assert world.model.ledger.mints() == mints


@pytest.mark.parametrize(
    ("form", "status", "start"),
    [
        ("html_502", 502, b"<html>"),
        ("empty", 200, b""),
        ("truncated", 200, b'{"access_token":'),
        ("bad_bytes", 200, b'{"nickname":"a\x80b\x03c","access_token":'),
        ("not_json", 200, b"system busy"),
    ],
)
async def test_garbage_takes_the_place_of_an_answer(
    wechat: Client, world: World, form: Any, status: int, start: bytes
) -> None:
    world.model.faults.add(Fault(kind="garbage", when="after", garbage=form))
    response = await wechat.get(TOKEN)
    body = await response.read()
    assert response.status == status
    assert body.startswith(start)
    if form != "bad_bytes":
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(body)


@pytest.mark.parametrize("form", ["html_502", "empty", "truncated", "bad_bytes", "not_json"])
async def test_garbage_before_the_effect_mints_nothing(
    wechat: Client, world: World, form: Any
) -> None:
    world.model.faults.add(Fault(kind="garbage", garbage=form))
    await (await wechat.get(TOKEN)).read()
    assert world.model.ledger.mints() == 0


async def test_a_caller_who_hangs_up_stops_nothing(
    wechat: Client, world: World, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, let_go = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        held.set()
        await let_go.wait()

    monkeypatch.setattr(clock, "sleep", sleep)
    world.model.faults.add(Fault(kind="latency"))
    call = asyncio.create_task(wechat.get(TOKEN).__aenter__())
    await held.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    let_go.set()
    async with asyncio.timeout(30):
        while world.model.ledger.mints() == 0:
            await asyncio.sleep(0)


async def test_a_huge_body_is_refused_without_being_kept(wechat: Client, world: World) -> None:
    response = await wechat.post("/cgi-bin/stable_token", data=io.BytesIO(b"x" * 2_000_000))
    assert (await answer(response))["errcode"] == 45002
    assert world.model.ledger.requests() == []


async def test_the_clock_of_the_platform_decides_not_the_machines(
    wechat: Client, world: World
) -> None:
    token = (await answer(await wechat.get(TOKEN)))["access_token"]
    world.time.advance(7200)
    ended = await answer(await wechat.get(PROBE, params={"access_token": token}))
    assert ended["errcode"] == 42001
