"""Fires shots at a listener over real connections, and judges what comes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from tests.callback_gateway.fuzz.shots import Expect, Shot
from tests.callback_gateway.fuzz.wire import Answer, NotHttp, read_answer

PATIENCE_S = 10.0
SILENCE_S = 0.3
"""So long an answer is waited for that may not come."""
_AFTERWARDS_S = 0.002
_ANSWER_AT_MOST = 1024
_TELLTALE = re.compile(rb"Traceback|File \"|line \d+, in |Error\b|Exception|\.py\b")


@dataclass(frozen=True)
class Flaw:
    """Something that should not have happened."""

    what: str
    shot: Shot
    answer: Answer | None

    def __str__(self) -> str:
        said = self.answer.raw[:600] if self.answer else None
        return f"{self.shot.kind}: {self.what}\n  sent {self.shot.raw[:1500]!r}\n  got {said!r}"


class Gun:
    """One client with one connection at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def fire(self, shot: Shot) -> Answer | None:
        """The answer; None when the connection ended or nothing came in time.

        Raises NotHttp for an answer that is none, or a second one that nobody asked for.
        """
        if shot.alone:
            await self.close()
        reader, writer = self._kept or await asyncio.open_connection("127.0.0.1", self._port)
        self._kept = reader, writer
        keep = False
        try:
            # Not drained: a server that refuses early reads no more of it.
            writer.write(shot.raw)
            async with asyncio.timeout(SILENCE_S if shot.may_be_silent else PATIENCE_S):
                answer = await read_answer(reader, bodyless=shot.bodyless)
            keep = answer is not None and not answer.closing and not shot.alone
            if answer is not None and not keep:
                await self._see_end(reader, shot)
            return answer
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            return None
        finally:
            if not keep:
                await self.close()

    async def close(self) -> None:
        if self._kept is None:
            return
        _, writer = self._kept
        self._kept = None
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _see_end(self, reader: asyncio.StreamReader, shot: Shot) -> None:
        """What else comes, if it comes at once, has to be a refusal too: of what lay behind."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_AFTERWARDS_S):
                while (further := await read_answer(reader)) is not None:
                    if further.status < 400 or further.status >= 500 or shot.canary in further.raw:
                        raise NotHttp(f"a further answer: {further.raw!r}")


def flaws(shot: Shot, answer: Answer | None) -> Iterator[Flaw]:
    """What is wrong with this answer to this shot."""
    if answer is None:
        if not shot.may_be_silent:
            yield Flaw("was not answered", shot, None)
        return
    if not _is_expected(shot, answer):
        yield Flaw(f"was answered {answer.status}", shot, answer)
    if shot.canary in answer.raw:
        yield Flaw("came back in the answer", shot, answer)
    if len(answer.raw) > _ANSWER_AT_MOST:
        yield Flaw(f"was answered with {len(answer.raw)} bytes", shot, answer)
    if _TELLTALE.search(answer.body):
        yield Flaw("was told about our insides", shot, answer)
    kind = answer.headers.get("content-type")
    if answer.status != 200 and not shot.bodyless and kind != "application/problem+json":
        yield Flaw("was not answered with a problem", shot, answer)


def _is_expected(shot: Shot, answer: Answer) -> bool:
    refused = 400 <= answer.status < 500
    if shot.expect is Expect.MALFORMED:
        return answer.status == 200 and answer.body == b"success"
    if shot.expect is Expect.KNOWN:
        return refused or answer.status == 200
    return refused
