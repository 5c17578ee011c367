"""One call to WeChat: sent at most once, or over the next host when nothing left or only a read.

What goes out and what an answer means is decided in `service`; connections are in `connections`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp.client_exceptions import SocketTimeoutError

from token_service.proxy import refusals
from token_service.proxy.answer import Answer
from token_service.proxy.connections import (
    ANSWER_ERRORS,
    IDLE_AT_MOST_S,
    IDLE_FOR_WRITES_S,
    NotConnected,
    PoolFull,
)
from zhongkong.runtime.logs import get_logger
from zhongkong.wechat.failover import HostOrder

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    from token_service.proxy.connections import Connection, Pool
    from token_service.proxy.refusals import Refusal
    from zhongkong.runtime.clock import Clock

RETURN_AFTER_S: Final = 300.0
"""After a failover the first host is tried again so much later."""

log = get_logger()


@dataclass(slots=True)
class Outbound:
    """What is sent. `target` and `headers` may hold a token, so the repr has neither.

    `body` is all of it or its pieces; `length` its size where it is told, else it goes in chunks.
    `only_reads`: nothing happens if it is carried out twice.
    """

    method: str
    target: str = field(repr=False)
    headers: Sequence[bytes] = field(repr=False)
    body: bytes | AsyncIterable[bytes] = field(repr=False)
    length: int | None
    only_reads: bool

    def head(self, host: str) -> bytes:
        """The request line and the headers."""
        lines = [f"{self.method} {self.target} HTTP/1.1\r\nHost: {host}".encode("utf-8", _ESCAPE)]
        lines += self.headers
        if self.length is None:
            lines.append(b"Transfer-Encoding: chunked")
        elif self.length or self.method not in _BODILESS:
            lines.append(b"Content-Length: %d" % self.length)
        return b"\r\n".join(lines) + b"\r\n\r\n"


_ESCAPE: Final = "surrogateescape"
_BODILESS: Final = frozenset({"GET", "HEAD"})


class Forwarder:
    """Sends calls over the hosts in their order. `moves` counts changes of host by reason."""

    def __init__(
        self, origins: Sequence[str], pool: Pool, *, clock: Clock, silence_s: float
    ) -> None:
        """`silence_s`: how long neither side may say anything while a call is under way."""
        self._hosts = HostOrder(origins, return_after_s=RETURN_AFTER_S)
        self._names = {origin: urlsplit(origin).netloc for origin in origins}
        self._pool = pool
        self._clock = clock
        self._silence_s = silence_s
        self.moves: Counter[str] = Counter()

    @property
    def current_host(self) -> str:
        """The origin that took the last call."""
        return self._hosts.current

    async def send(self, call: Outbound) -> Answer:
        """Send once; the answer's head is there when this returns. Close the answer in the end.

        Raises Refusal: `not_sent` when nothing left, `unseen` and `too_slow` when it may have been
        carried out. A call that only reads is sent once more when its answer was lost.
        """
        tried: list[str] = []
        lost: Refusal | None = None
        reason = ""
        for origin in self._hosts.candidates(self._clock.monotonic()):
            try:
                answer = await self._over(origin, call)
            except NotConnected as trouble:
                tried.append(f"{self._names[origin]}: {trouble.detail}")
                reason = trouble.reason
                continue
            except PoolFull:
                raise refusals.busy() from None
            except _Lost as trouble:
                if not call.only_reads or trouble.late:
                    raise trouble.refusal from None
                lost, reason = trouble.refusal, "answer_lost"
                continue
            self._reached(origin, reason)
            return answer
        raise lost or refusals.not_sent("; ".join(tried))

    def _reached(self, origin: str, reason: str) -> None:
        previous = self._hosts.current
        if self._hosts.reached(origin, self._clock.monotonic()):
            self.moves[reason or "returned"] += 1
            log.warning(
                "upstream_host_changed", previous=previous, current=origin, reason=reason or None
            )

    async def _over(self, origin: str, call: Outbound) -> Answer:
        """Over one host. A read that met a connection just closed goes over a new one."""
        idle_at_most_s = IDLE_AT_MOST_S if call.only_reads else IDLE_FOR_WRITES_S
        connection = await self._pool.take(origin, idle_at_most_s=idle_at_most_s)
        try:
            return await self._exchange(connection, call)
        except _Lost as trouble:
            if not (call.only_reads and connection.reused) or trouble.late:
                raise
        return await self._exchange(await self._pool.take(origin, idle_at_most_s=-1.0), call)

    async def _exchange(self, connection: Connection, call: Outbound) -> Answer:
        try:
            connection.begin(without_body=call.method == "HEAD", silence_s=self._silence_s)
            head = call.head(self._names[connection.origin])
            if isinstance(call.body, bytes):
                connection.write(head + call.body)
                await connection.drained(self._silence_s)
                connection.start_timeout()
                message, payload = await connection.head()
            else:
                connection.write(head)
                message, payload = await self._with_upload(connection, call.body, call.length)
            return Answer(message, payload, connection, self._pool)
        except (TimeoutError, SocketTimeoutError):
            self._pool.drop(connection)
            raise _Lost(refusals.too_slow(self._silence_s), late=True) from None
        except ANSWER_ERRORS as error:
            self._pool.drop(connection)
            raise _Lost(refusals.unseen(cause_of(error))) from None
        except BaseException:
            self._pool.drop(connection)
            raise

    async def _with_upload(
        self, connection: Connection, pieces: AsyncIterable[bytes], length: int | None
    ) -> tuple[RawResponseMessage, StreamReader]:
        """Write the body while listening: the other side may answer before it has all of it."""
        upload = asyncio.ensure_future(self._upload(connection, pieces, chunked=length is None))
        head = asyncio.ensure_future(connection.head())
        try:
            await asyncio.wait({upload, head}, return_when=asyncio.FIRST_COMPLETED)
            if not head.done():
                await _unless_answered(upload, head)
                connection.start_timeout()
            return await head
        finally:
            if not upload.done():
                # What it hasn't taken of this body, it must not take for the next request.
                connection.force_close()
            upload.cancel()
            head.cancel()
            await asyncio.gather(upload, head, return_exceptions=True)

    async def _upload(
        self, connection: Connection, pieces: AsyncIterable[bytes], *, chunked: bool
    ) -> None:
        async for piece in pieces:
            connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await connection.drained(self._silence_s)
        if chunked:
            connection.write(b"0\r\n\r\n")


async def _unless_answered(
    upload: asyncio.Future[None], head: asyncio.Future[tuple[RawResponseMessage, StreamReader]]
) -> None:
    """The upload's result; what broke it is told better by an answer that came all the same."""
    try:
        await upload
    except ANSWER_ERRORS:
        await asyncio.wait({head}, timeout=1.0)
        if not head.done() or head.exception() is not None:
            raise


class _Lost(Exception):
    """The call left, and no answer's head came."""

    def __init__(self, refusal: Refusal, *, late: bool = False) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal
        self.late = late


def cause_of(error: BaseException) -> str:
    """A few words. The text of aiohttp's errors may bring parts of the request along."""
    strerror = getattr(error, "strerror", None)
    if isinstance(strerror, str) and strerror:
        return strerror
    return _CAUSES.get(type(error).__name__, "the connection broke")


_CAUSES: Final = {
    "ServerDisconnectedError": "the connection was closed without an answer",
    "ClientPayloadError": "the answer breaks off",
    "SocketTimeoutError": "it fell silent",
    "HttpProcessingError": "what came is no HTTP",
    "BadHttpMessage": "what came is no HTTP",
}
