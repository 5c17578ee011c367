"""A large body on its way to WeChat, which may answer before it has all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from token_service.proxy.answer_errors import ANSWER_ERRORS

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from token_service.proxy.connection import Connection, Head

_LAST_WORD_S = 1.0
"""So long an answer is waited for after the connection refused more of the body."""


async def upload(
    connection: Connection,
    head: asyncio.Future[Head],
    pieces: AsyncIterable[bytes],
    *,
    chunked: bool,
    silence_s: float,
) -> Head:
    """Write the pieces while listening, and return the answer's head.

    Raises ANSWER_ERRORS, TimeoutError, and what `pieces` raises.
    """
    writing: asyncio.Future[Any] = asyncio.ensure_future(
        _write(connection, pieces, chunked=chunked, within_s=silence_s)
    )
    both: set[asyncio.Future[Any]] = {writing, head}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not head.done():
            await _unless_answered(writing, head)
            connection.listen()
        return await head
    finally:
        if not writing.done():
            # What it hasn't taken of this body, it must not take for the next request.
            connection.spoil()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def _write(
    connection: Connection, pieces: AsyncIterable[bytes], *, chunked: bool, within_s: float
) -> None:
    async for piece in pieces:
        connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await connection.drained(within_s)
    if chunked:
        connection.write(b"0\r\n\r\n")


async def _unless_answered(writing: asyncio.Future[Any], head: asyncio.Future[Head]) -> None:
    """The upload's result; what broke it is told better by an answer that came all the same."""
    try:
        await writing
    except ANSWER_ERRORS:
        await asyncio.wait({head}, timeout=_LAST_WORD_S)
        if not head.done() or head.exception() is not None:
            raise
