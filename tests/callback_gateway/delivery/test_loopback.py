"""Deliveries over real connections: one target that fails in its own way, and others beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from callback_gateway.delivery.dispatcher import Dispatcher
from callback_gateway.inbox.memory import MemoryInbox
from callback_gateway.inbox.records import Keeping
from callback_gateway.reply_board import ReplyBoard, ReplyOutcome
from callback_gateway.targets import Target
from callback_gateway.webhook_signature import SigningSecret, verify
from tests.callback_gateway.delivery.receivers import (
    SECRET,
    Talk,
    raw_receiver,
    read_request,
    receiver,
    saying,
    target_at,
)
from tests.callback_gateway.delivery.world import Observed, arrival
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.tasks import TaskOwner

EVENTS = 150
CONCURRENCY = 4


class Crm:
    """A healthy target that checks and counts what it gets."""

    def __init__(self, expected: int = EVENTS) -> None:
        self._expected = expected
        self.got: Counter[str] = Counter()
        self.under_way = self.most = 0
        self.complete = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert verify(SigningSecret.parse(SECRET), headers, body, now=SystemClock().now())
        self.got[headers["webhook-id"]] += 1
        if len(self.got) == self._expected:
            self.complete.set()
        self.under_way -= 1
        return web.Response(status=204)


class Gateway:
    """A dispatcher with real connections on an inbox in memory."""

    def __init__(self, tasks: TaskOwner, *targets: Target) -> None:
        self.inbox = MemoryInbox(SystemClock(), SystemRandomness(), Keeping())
        self.board = ReplyBoard()
        self.observed = Observed()
        by_name = {target.name: target for target in targets}
        self.dispatcher = Dispatcher(
            self.inbox,
            lambda: by_name,
            "one",
            clock=SystemClock(),
            randomness=SystemRandomness(),
            schedule=(0.02, 0.05, 0.1, 0.2, 0.5),
            tasks=tasks,
            observer=self.observed,
            board=self.board,
        )
        tasks.keep("dispatcher", self.dispatcher.run)


@asynccontextmanager
async def gateway(*targets: Target) -> AsyncIterator[Gateway]:
    clock = SystemClock()
    async with TaskOwner(clock, SystemRandomness()) as tasks:
        opened = Gateway(tasks, *targets)
        yield opened
        await opened.dispatcher.drain(0.2)


async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await asyncio.Event().wait()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one byte of a head at a time, for ever."""
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(never, id="it never answers"),
        pytest.param(drip, id="its answer never ends"),
        pytest.param(saying(b""), id="it hangs up"),
        pytest.param(saying(b"\xff" * 1000), id="it talks rubbish"),
        pytest.param(saying(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), id="it fails"),
    ],
)
async def test_a_bad_target_does_not_disturb_another_one(talk: Talk) -> None:
    crm = Crm()
    async with raw_receiver(talk) as bad_url, receiver(crm.answer) as url:
        bad = target_at(bad_url, "bad", concurrency=CONCURRENCY)
        async with gateway(bad, target_at(url, "crm", concurrency=CONCURRENCY)) as opened:
            events = [arrival(f"evt_{number}", "bad", "crm") for number in range(EVENTS)]
            await opened.inbox.accept(events, owner="one")
            opened.dispatcher.wake()
            async with asyncio.timeout(30):
                await crm.complete.wait()
                while "crm" in {*(depth := await opened.inbox.depth()).waiting, *depth.leased}:
                    await asyncio.sleep(0.01)
            assert depth.leased.get("bad", 0) <= CONCURRENCY
    assert set(crm.got.values()) == {1}
    assert crm.most <= CONCURRENCY
    assert {outcome for target, outcome in opened.observed.attempts if target == "crm"} == {
        "delivered"
    }


async def test_what_failed_while_a_target_was_down_arrives_when_it_is_up() -> None:
    crm, up = Crm(20), False

    async def answer(request: web.Request) -> web.StreamResponse:
        return await crm.answer(request) if up else web.Response(status=503)

    async with receiver(answer) as url, gateway(target_at(url)) as opened:
        events = [arrival(f"evt_{number}", "crm") for number in range(20)]
        await opened.inbox.accept(events, owner="one")
        opened.dispatcher.wake()
        async with asyncio.timeout(30):
            while len(opened.observed.attempts) < 20:
                await asyncio.sleep(0.01)
            up = True
            await crm.complete.wait()
    assert set(crm.got.values()) == {1}


async def test_a_reply_comes_back_over_the_wire() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"reply": {"type": "text", "content": "您好"}})

    async with receiver(answer) as url, gateway(target_at(url)) as opened:
        told = opened.board.expect("evt_1")
        [accepted] = await opened.inbox.accept([arrival("evt_1", replier="crm")], owner="one")
        assert accepted.lease is not None
        opened.dispatcher.run_reply(accepted.lease)
        async with asyncio.timeout(10):
            outcome = await told
    assert outcome == ReplyOutcome(orjson.dumps({"content": "您好", "type": "text"}))


async def test_no_content_and_no_address_is_logged() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/reply":
            return web.json_response({"reply": {"type": "text", "content": "s3kr1t", "x": 1}})
        return web.Response(status=500, text="s3kr1t", reason="s3kr1t")

    with capture_logs() as lines:
        async with receiver(answer) as url, raw_receiver(saying(b"s3kr1t\r\n\r\n")) as odd_url:
            asked = target_at(url.replace("/hook", "/reply?s3kr1t=1"), "asked")
            refusing = target_at(f"{url}?s3kr1t=1", "refusing")
            odd = target_at(f"{odd_url}?s3kr1t=1", "odd")
            async with gateway(asked, refusing, odd) as opened:
                event = arrival("evt_1", "refusing", "odd", replier="asked", kind="a.b.s3kr1t")
                [accepted] = await opened.inbox.accept([event], owner="one")
                assert accepted.lease is not None
                opened.dispatcher.run_reply(accepted.lease)
                opened.dispatcher.wake()
                async with asyncio.timeout(10):
                    while len(opened.observed.deaths) < 3:
                        await asyncio.sleep(0.01)
    told = Counter(line["event"] for line in lines)
    assert told["delivery_dead_lettered"] == 3
    assert told["delivery_failed"] == 2 * 6 + 1
    assert "s3kr1t" not in str(lines)
    assert SECRET not in str(lines)
