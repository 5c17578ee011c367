"""Large bodies go through in pieces: what the process holds doesn't grow with their size."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.token_service.proxy.upstream import OK, Visit, upstream
from tests.token_service.proxy.world import Lone, lone
from token_service.proxy.settings import ProxySettings

MIB = 1024 * 1024
BODY = 50 * MIB
PIECE = bytes(range(256)) * 256
STATM = Path("/proc/self/statm")
GROWTH_AT_MOST = 96 * MIB

pytestmark = pytest.mark.skipif(not STATM.exists(), reason="memory is read from /proc")


def resident() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Peak:
    """The highest memory seen, caller and stand-in included: all of them live in this process."""

    def __init__(self) -> None:
        self.before = resident()
        self.highest = self.before

    def look(self) -> None:
        self.highest = max(self.highest, resident())

    @property
    def growth(self) -> int:
        return self.highest - self.before


async def swallow(visit: Visit) -> None:
    left = BODY
    while left:
        left -= len(await visit.reader.read(256 * 1024))
    visit.writer.write(OK)


async def pour(visit: Visit) -> None:
    visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY)
    for _ in range(BODY // len(PIECE)):
        visit.writer.write(PIECE)
        await visit.writer.drain()


async def upload(proxy: Lone, peak: Peak) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    target = f"/cgi-bin/media/upload?access_token={proxy.opaque_token()}"
    writer.write(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY}\r\n\r\n".encode())
    for _ in range(BODY // len(PIECE)):
        writer.write(PIECE)
        await writer.drain()
        peak.look()
    head = await reader.readuntil(b"\r\n")
    writer.close()
    return head


async def download(proxy: Lone, peak: Peak) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    target = f"/cgi-bin/media/get?access_token={proxy.opaque_token()}"
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    read = 0
    while read < BODY:
        read += len(await reader.read(256 * 1024))
        peak.look()
    writer.close()
    return read


@pytest.mark.slow
async def test_memory_stays_flat_under_many_large_uploads() -> None:
    settings = ProxySettings(timeout=60.0, replay_disk=8 * BODY)
    async with upstream(swallow) as it, lone([it.origin], settings=settings) as proxy:
        peak = Peak()
        heads = await asyncio.gather(*(upload(proxy, peak) for _ in range(8)))

        assert all(b" 200 " in head for head in heads)
        assert peak.growth < GROWTH_AT_MOST
        assert proxy.parts.disk.used == 0


@pytest.mark.slow
async def test_memory_stays_flat_under_many_large_downloads() -> None:
    settings = ProxySettings(timeout=60.0)
    async with upstream(pour) as it, lone([it.origin], settings=settings) as proxy:
        peak = Peak()
        sizes = await asyncio.gather(*(download(proxy, peak) for _ in range(8)))

        assert sizes == [BODY] * 8
        assert peak.growth < GROWTH_AT_MOST
