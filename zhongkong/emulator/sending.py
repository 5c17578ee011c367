"""Answers that are more than one write: files, and those that break off on purpose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from zhongkong.emulator.contents import BLOCK

if TYPE_CHECKING:
    from zhongkong.emulator.contents import FileAnswer
    from zhongkong.emulator.wire import WireAnswer


def cut_off(http: web.Request) -> web.Response:
    """Reset the connection. The response is for aiohttp's sake; it has nowhere to go."""
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=502)


async def send_file(
    http: web.Request, answer: FileAnswer, *, midway: bool = False
) -> web.StreamResponse:
    """Block by block. With `midway` the connection is reset after half of it."""
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: answer.content_type,
            "Content-disposition": f'attachment; filename="{answer.filename}"',
        }
    )
    response.content_length = answer.content.size
    await response.prepare(http)
    stop = answer.content.size // 2 if midway else answer.content.size
    for start in range(0, stop, BLOCK):
        block = await asyncio.to_thread(answer.content.read, start, min(BLOCK, stop - start))
        await response.write(block)
    if midway:
        cut_off(http)
    else:
        await response.write_eof()
    return response


async def send_half(http: web.Request, answer: WireAnswer) -> web.StreamResponse:
    """The head promises the whole body; half of it comes, then the connection is reset."""
    response = web.StreamResponse(
        status=answer.status,
        headers={hdrs.CONTENT_TYPE: answer.content_type} if answer.content_type else {},
    )
    response.content_length = len(answer.body)
    await response.prepare(http)
    await response.write(answer.body[: len(answer.body) // 2])
    cut_off(http)
    return response
