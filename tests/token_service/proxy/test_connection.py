from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientOSError

from tests.token_service.proxy.upstream import OK, Visit, upstream
from tests.token_service.proxy.world import Lone, lone
from token_service.proxy.connection import Connection
from token_service.proxy.settings import ProxySettings
from token_service.proxy.silence import Silence

PATIENT = ProxySettings(timeout=30.0, connect_timeout=30.0)
SEND = "/cgi-bin/message/custom/send"
STRANGE = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nanother call"


async def sent(proxy: Lone) -> bytes:
    return (await proxy.post(f"{SEND}?access_token={proxy.opaque_token()}", {"a": 1})).body


async def fine(visit: Visit) -> None:
    await visit.body()
    visit.writer.write(OK)


async def test_calls_one_after_the_other_share_a_connection() -> None:
    async with upstream(fine) as it, lone([it.origin], settings=PATIENT) as proxy:
        assert [await sent(proxy) for _ in range(3)] == [b'{"errcode":0}'] * 3
        assert (it.open, proxy.parts.pool.idle, proxy.parts.pool.in_use) == (1, 1, 0)


@pytest.mark.parametrize(
    "more", [STRANGE, STRANGE[:20], STRANGE + STRANGE], ids=["an answer", "a part", "two"]
)
async def test_what_comes_after_an_answer_is_never_taken_for_the_next(more: bytes) -> None:
    async def chatty(visit: Visit) -> None:
        await visit.body()
        visit.writer.write(OK + more)

    async with upstream(chatty) as it, lone([it.origin], settings=PATIENT) as proxy:
        answers = [await sent(proxy) for _ in range(3)]

    assert b"another call" not in b"".join(answers)


async def test_what_comes_while_nothing_was_asked_ends_the_connection() -> None:
    unasked = asyncio.Event()

    async def chatty(visit: Visit) -> None:
        await fine(visit)
        await unasked.wait()
        visit.writer.write(STRANGE)

    async with upstream(chatty) as it, lone([it.origin], settings=PATIENT) as proxy:
        await sent(proxy)
        unasked.set()
        async with asyncio.timeout(30):
            while it.open:
                await asyncio.sleep(0)

        assert await sent(proxy) == b'{"errcode":0}'


async def test_early_hints_are_not_the_answer() -> None:
    async def hinting(visit: Visit) -> None:
        visit.writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n")
        await fine(visit)

    async with upstream(hinting) as it, lone([it.origin], settings=PATIENT) as proxy:
        assert [await sent(proxy) for _ in range(2)] == [b'{"errcode":0}'] * 2
        assert it.open == 1


async def test_an_upgrade_that_nobody_asked_for_is_a_lost_answer() -> None:
    async def upgrading(visit: Visit) -> None:
        visit.writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nbytes"
        )
        await visit.writer.drain()

    async with upstream(upgrading) as it, lone([it.origin], settings=PATIENT) as proxy:
        assert b"may have carried it out" in await sent(proxy)
        assert proxy.parts.pool.idle == 0


@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"])
async def test_an_answer_may_last_until_the_connection_s_end(last: bytes) -> None:
    async def until_the_end(visit: Visit) -> None:
        await visit.body()
        visit.writer.write(b"HTTP/1.1 200 OK\r\n" + last + b"\r\n" + b"x" * 100_000)
        await visit.writer.drain()
        visit.writer.close()

    async with upstream(until_the_end) as it, lone([it.origin], settings=PATIENT) as proxy:
        assert await sent(proxy) == b"x" * 100_000
        assert proxy.parts.pool.idle == 0


class Transport(asyncio.Transport):
    """Takes everything, and sends nothing anywhere."""

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def is_closing(self) -> bool:
        return False


async def test_an_answer_that_lasts_until_the_end_is_cut_short_by_a_reset() -> None:
    connection = Connection(asyncio.get_running_loop(), "http://wechat", 0.0)
    connection.connection_made(Transport())
    head = connection.begin(b"GET / HTTP/1.1\r\n\r\n", without_body=False, silence_s=9.0)
    connection.data_received(b'HTTP/1.1 200 OK\r\n\r\n{"a":')
    _, payload = await head
    connection.connection_lost(ConnectionResetError(104, "Connection reset by peer"))

    with pytest.raises(ClientOSError):
        await payload.readany()


async def test_a_connection_that_wechat_closes_is_not_used_again() -> None:
    async def closing(visit: Visit) -> None:
        await visit.body()
        visit.writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    async with upstream(closing) as it, lone([it.origin], settings=PATIENT) as proxy:
        assert [await sent(proxy) for _ in range(2)] == [b'{"errcode":0}'] * 2
        assert proxy.parts.pool.idle == 0


class Rings:
    """A loop's clock and timers, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, object]] = []
        self.rung = 0
        self.under_way = True
        self.silence = Silence(
            self,  # type: ignore[arg-type]
            under_way=lambda: self.under_way,
            too_long=self.ring,
        )

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: object) -> object:
        self.timers.append((self.now + delay, callback))
        return self

    def ring(self) -> None:
        self.rung += 1

    def until(self, now: float) -> None:
        while due := [timer for timer in self.timers if timer[0] <= now]:
            timer = min(due, key=lambda each: each[0])
            self.timers.remove(timer)
            self.now = timer[0]
            timer[1]()  # type: ignore[operator]
        self.now = now


def test_silence_counts_from_what_was_heard_last() -> None:
    it = Rings()
    it.silence.allow(10.0)
    it.silence.heard()
    it.until(9.0)
    it.silence.heard()
    it.until(18.9)
    assert (it.rung, len(it.timers)) == (0, 1)
    it.until(19.0)
    assert (it.rung, it.timers) == (1, [])


def test_silence_counts_neither_between_calls_nor_while_nobody_listens() -> None:
    it = Rings()
    it.silence.allow(10.0)
    it.silence.heard()
    it.silence.excuse()
    it.until(95.0)
    it.under_way = False
    it.until(200.0)
    assert (it.rung, it.timers) == (0, [])


def test_a_call_is_not_ended_by_the_silence_before_it() -> None:
    it = Rings()
    it.silence.allow(10.0)
    it.silence.heard()
    it.until(9.5)
    it.silence.allow(10.0)
    it.until(18.0)
    it.silence.heard()
    it.until(27.9)
    assert it.rung == 0
    it.until(28.0)
    assert it.rung == 1
