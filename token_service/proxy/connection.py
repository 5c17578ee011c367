"""One connection to WeChat: a request goes out, an answer comes in, parsed by aiohttp's own parser.

One request at a time goes over it, written by whoever holds it. Connections are opened, kept and
counted in `pool`; what an answer means is decided in `forward`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import ClientPayloadError
from aiohttp.base_protocol import BaseProtocol
from aiohttp.client_exceptions import ClientOSError, ServerDisconnectedError, SocketTimeoutError
from aiohttp.http import HttpResponseParser
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD

from token_service.proxy.silence import Silence

if TYPE_CHECKING:
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    Head = tuple[RawResponseMessage, StreamReader]

_BUFFERED_BYTES: Final = 256 * 1024
_LINE_BYTES_AT_MOST: Final = 16_384
_BODILESS: Final = frozenset({204, 304})
_AGE_AT_MOST_S: Final = 300.0
"""Names are resolved anew for each connection, and WeChat retires addresses (code 48017)."""


class Connection(BaseProtocol):
    """One connection; `reused` tells whether an earlier call went over it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: str, now: float) -> None:
        super().__init__(loop)
        self.origin = origin
        self.born_at = now
        self.idle_since = now
        self.reused = False
        self._spoilt = False
        self._head: asyncio.Future[Head] | None = None
        self._payload: StreamReader = EMPTY_PAYLOAD
        self._silence = Silence(
            loop,
            under_way=lambda: self._parser is not None,
            too_long=lambda: self._fail(SocketTimeoutError()),
        )

    # ------------------------------------------------------------------ for whoever holds it

    def begin(self, data: bytes, *, without_body: bool, silence_s: float) -> asyncio.Future[Head]:
        """Write a request, or what it begins with. To be awaited: its answer's head and body.

        That and the body raise ANSWER_ERRORS, among them SocketTimeoutError when nothing was heard
        for `silence_s` after `listen`. Raises ConnectionError when the connection is gone.
        """
        # Each answer has its own parser, so that nothing of one is taken for a part of the next.
        self._parser = HttpResponseParser(
            self,
            self._loop,
            _BUFFERED_BYTES,
            payload_exception=ClientPayloadError,
            response_with_body=not without_body,
            read_until_eof=True,
            auto_decompress=False,
            max_line_size=_LINE_BYTES_AT_MOST,
            max_field_size=_LINE_BYTES_AT_MOST,
        )
        self._head = head = self._loop.create_future()
        self._payload = EMPTY_PAYLOAD
        self._silence.allow(silence_s)
        self.write(data)
        return head

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport. Raises ConnectionError when it is gone."""
        if self.transport is None:
            raise ConnectionResetError("the connection is closed")
        self.transport.write(data)

    async def drained(self, within_s: float) -> None:
        """Wait until the other side took most of what was written. Raises TimeoutError."""
        if self._paused:
            async with asyncio.timeout(within_s):
                await self._drain_helper()

    def listen(self) -> None:
        """The other side has all of the request: its silence counts from now."""
        self._silence.heard()

    def spoil(self) -> None:
        """Let no other request go over it."""
        self._spoilt = True

    def abort(self) -> None:
        """Close it at once; whoever still waits for something is told. May be repeated."""
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.abort()
        self._fail(ClientPayloadError())
        self._silence.stop()

    def usable(self, now: float, idle_at_most_s: float) -> bool:
        """Whether the next call may take it."""
        transport = self.transport
        return (
            transport is not None
            and self._parser is None
            and not self._spoilt
            and now - self.idle_since <= idle_at_most_s
            and now - self.born_at <= _AGE_AT_MOST_S
            and not transport.is_closing()
        )

    # ------------------------------------------------------------------ for transport and parser

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            # Nobody asked; and what comes next could be taken for the answer to a later call.
            self.abort()
            return
        self._silence.heard()
        try:
            messages, _, _ = parser.feed_data(data)
        except HttpProcessingError:
            # It quotes what was sent, so it ends here.
            self._fail(HttpProcessingError())
            self._close()
            return
        for message, payload in messages:
            self._take(message, payload)
        if self._head is None and self._payload.is_eof():
            self._parser = None

    def pause_reading(self) -> None:
        self._silence.excuse()
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002
        """Said by the body's reader after each piece, also where nothing was paused."""
        if self._reading_paused:
            self._silence.heard()
            super().resume_reading(resume_parser and self._parser is not None)

    def connection_lost(self, exc: BaseException | None) -> None:
        parser = self._parser
        if parser is not None and self._head is None and exc is None:
            try:
                # An answer may last until the connection's end. Another one is cut short by it.
                parser.feed_eof()
            except HttpProcessingError:
                self._fail(ClientPayloadError())
        self._fail(
            ClientOSError(*exc.args) if isinstance(exc, OSError) else ServerDisconnectedError()
        )
        self._silence.stop()
        super().connection_lost(exc)

    # ------------------------------------------------------------------ inside

    def _take(self, message: RawResponseMessage, payload: StreamReader) -> None:
        head = self._head
        if head is None:
            self._spoilt = True
        elif message.code >= 200:
            self._head = None
            self._payload = EMPTY_PAYLOAD if message.code in _BODILESS else payload
            if message.should_close:
                self._spoilt = True
            if not head.done():
                head.set_result((message, self._payload))
        elif message.code == 101:
            # An upgrade that nobody asked for.
            self._fail(HttpProcessingError())
            self._close()

    def _fail(self, error: Exception) -> None:
        """What is under way ends so. Nothing goes over this connection any more."""
        self._spoilt = True
        self._parser = None
        head, self._head = self._head, None
        if head is None:
            if not self._payload.is_eof():
                self._payload.set_exception(error)
        elif not head.done():
            head.set_exception(error)
            # Whoever asked may be gone, and then it is no failure that nobody saw.
            head.exception()

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()
