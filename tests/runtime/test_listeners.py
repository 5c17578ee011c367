from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import web

from tests.fixtures.redis import free_port
from zhongkong.runtime.listeners import CannotListen, Listener, Listeners, PortInUse
from zhongkong.runtime.port_owner import port_owner


def app_that(handler: object = None) -> web.Application:
    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", handler or hello)  # type: ignore[arg-type]
    return app


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


async def get(port: int) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/") as response,
    ):
        return await response.text()


async def test_each_app_is_served_on_its_own_port() -> None:
    listeners = await Listeners.open(
        [
            Listener(app_that(), "127.0.0.1", 0, "client"),
            Listener(app_that(), "127.0.0.1", 0, "internal"),
        ]
    )
    assert listeners.port("client") != listeners.port("internal")
    assert await get(listeners.port("client")) == await get(listeners.port("internal")) == "hello"
    await listeners.close()
    await listeners.close()
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(listeners.port("client"))


async def test_a_taken_port_is_named_with_its_owner_and_the_remedy(taken: int) -> None:
    with pytest.raises(PortInUse) as refusal:
        await Listeners.open(
            [Listener(app_that(), "127.0.0.1", taken, "client", remedy="set `listen`")]
        )
    message = str(refusal.value)
    assert f"127.0.0.1:{taken} (the client listener)" in message
    assert f"pid {os.getpid()}" in message
    assert message.endswith("set `listen`")


async def test_one_taken_port_leaves_none_of_the_others_open(taken: int) -> None:
    free = free_port()
    with pytest.raises(PortInUse):
        await Listeners.open(
            [
                Listener(app_that(), "127.0.0.1", free, "client"),
                Listener(app_that(), "127.0.0.1", taken, "internal"),
            ]
        )
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(free)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(CannotListen, match=host):
        await Listeners.open([Listener(app_that(), host, 0, "client")])


def test_a_port_without_listener_has_no_owner() -> None:
    assert port_owner(free_port()) == ""


async def test_closing_lets_accepted_work_finish_and_ends_idle_connections() -> None:
    started, finish = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        started.set()
        await finish.wait()
        return web.Response(text="done")

    listeners = await Listeners.open([Listener(app_that(slow), "127.0.0.1", 0, "client")])
    port = listeners.port("client")
    idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.ensure_future(get(port))
    await started.wait()
    closing = asyncio.ensure_future(listeners.close())
    async with asyncio.timeout(30):
        assert await idle_reader.read() == b""
    assert not answer.done()
    finish.set()
    assert await answer == "done"
    await closing
    idle_writer.close()
    await idle_writer.wait_closed()


async def test_work_without_end_is_cut_off_when_the_grace_is_over() -> None:
    started = asyncio.Event()

    async def endless(_request: web.Request) -> web.Response:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    listeners = await Listeners.open(
        [Listener(app_that(endless), "127.0.0.1", 0, "client")], grace_s=0.6
    )
    answer = asyncio.ensure_future(get(listeners.port("client")))
    await started.wait()
    async with asyncio.timeout(30):
        await listeners.close()
    with pytest.raises(aiohttp.ClientConnectionError):
        await answer


@pytest.mark.parametrize("cancels", [True, False])
async def test_a_handler_ends_with_its_client_unless_told_otherwise(cancels: bool) -> None:
    started, ended, finish = asyncio.Event(), asyncio.Event(), asyncio.Event()
    outcomes: list[str] = []

    async def poll(_request: web.Request) -> web.Response:
        started.set()
        try:
            await finish.wait()
            outcomes.append("finished")
        except asyncio.CancelledError:
            outcomes.append("cancelled")
            raise
        finally:
            ended.set()
        return web.Response()

    listener = Listener(app_that(poll), "127.0.0.1", 0, "client", cancel_abandoned=cancels)
    async with await Listeners.open([listener]) as listeners:
        answer = asyncio.ensure_future(get(listeners.port("client")))
        await started.wait()
        answer.cancel()
        await asyncio.wait({answer})
        if not cancels:
            finish.set()
        async with asyncio.timeout(30):
            await ended.wait()
    assert outcomes == ["cancelled" if cancels else "finished"]


def test_many_clients_at_once_are_accepted_under_uvloop() -> None:
    import uvloop

    async def main() -> int:
        async with await Listeners.open([Listener(app_that(), "127.0.0.1", 0, "c")]) as listeners:
            port = listeners.port("c")
            answers = await asyncio.gather(*(get(port) for _ in range(100)))
            return answers.count("hello")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == 100
    assert threading.active_count() >= 1
