"""Large bodies go through in pieces: what the process holds doesn't grow with their size."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.token_service.proxy.process import Process, process
from tests.token_service.proxy.upstream import OK, Visit, token_answer, upstream
from tests.token_service.proxy.world import Client

MIB = 1024 * 1024
BODY = 50 * MIB
PIECE = hashlib.shake_128(b"a film").digest(256 * 1024)
"""Without structure, as media are."""
CALLS = 32
PER_CALL_AT_MOST = 4 * MIB
"""What came and wasn't read yet, the piece that is looked through, what is kept of it for the file,
and what WeChat hasn't taken yet: each of them three quarters of a MiB at most."""
LARGE = "proxy: {timeout: 1m, replay_disk: 256MiB}\n"

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]


async def wechat(visit: Visit) -> None:
    """Gives a token, takes uploads, and gives downloads to whoever asks for `media/get`."""
    if visit.target.startswith("/cgi-bin/stable_token"):
        await token_answer(visit)
    elif visit.target.startswith("/cgi-bin/media/get"):
        visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY)
        for _ in range(BODY // len(PIECE)):
            visit.writer.write(PIECE)
            await visit.writer.drain()
    else:
        left = BODY
        while left:
            left -= len(await visit.reader.read(MIB))
        visit.writer.write(OK)


async def upload(port: int, token: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    target = f"/cgi-bin/media/upload?access_token={token}"
    writer.write(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY}\r\n\r\n".encode())
    for _ in range(BODY // len(PIECE)):
        writer.write(PIECE)
        await writer.drain()
    answer = await reader.readuntil(b'{"errcode":0}')
    writer.close()
    return answer


async def download(port: int, token: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    target = f"/cgi-bin/media/get?access_token={token}"
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    read = 0
    while read < BODY and (piece := await reader.read(MIB)):
        read += len(piece)
    writer.close()
    return read


@dataclass(frozen=True)
class Measured:
    """A service, a token of its own, and the memory that it took before it had work."""

    service: Process
    token: str
    at_rest: int

    def grown(self) -> int:
        """By how much it was larger than at rest, when it was largest."""
        return self.service.memory("VmHWM") - self.at_rest


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Measured]:
    async with upstream(wechat) as there, aiohttp.ClientSession() as session:
        with process(tmp_path_factory.mktemp("service"), there.origin, extra=LARGE) as service:
            token = await Client(session, service.port).token()
            yield Measured(service, token, service.memory())


async def test_memory_stays_flat_under_many_large_downloads(it: Measured) -> None:
    sizes = await asyncio.gather(*(download(it.service.port, it.token) for _ in range(CALLS)))

    assert sizes == [BODY] * CALLS
    assert it.grown() < CALLS * PER_CALL_AT_MOST


async def test_memory_stays_flat_under_many_large_uploads(it: Measured) -> None:
    answers = await asyncio.gather(*(upload(it.service.port, it.token) for _ in range(CALLS)))

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert it.grown() < CALLS * PER_CALL_AT_MOST
