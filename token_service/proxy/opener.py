"""How a connection to WeChat is opened, and why it can fail. Which one is reused is in `pool`."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from token_service.proxy.connection import Connection
from zhongkong.wechat.errors import NotSentReason

if TYPE_CHECKING:
    from zhongkong.runtime.clock import Clock


class NotConnected(Exception):
    """No connection, so nothing left. `reason` is a metric label, `detail` is for people."""

    def __init__(self, reason: NotSentReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Opener:
    """Opens connections to origins as `https://api.weixin.qq.com`."""

    def __init__(self, *, clock: Clock, connect_s: float, tls: ssl.SSLContext | None) -> None:
        """`tls` replaces trust in the system's certificate authorities.

        Without it OpenSSL's environment variables hold: SSL_CERT_FILE names a file and SSL_CERT_DIR
        a folder of authorities in place of the system's, for a WeChat behind a proxy of one's own.
        """
        self._clock = clock
        self._connect_s = connect_s
        self._tls = tls

    async def open(self, origin: str) -> Connection:
        """Resolve, connect, shake hands. Raises NotConnected, and then no byte of a call left."""
        parts = urlsplit(origin)
        secure = parts.scheme == "https"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_s):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, origin, self._clock.monotonic()),
                    parts.hostname or "",
                    parts.port or (443 if secure else 80),
                    ssl=await self._trust() if secure else None,
                )
        # uvloop reports some failures to connect as RuntimeError.
        except (OSError, TimeoutError, RuntimeError) as error:
            raise _not_connected(error, self._connect_s) from None
        return connection

    async def _trust(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls


def _not_connected(error: Exception, connect_s: float) -> NotConnected:
    if isinstance(error, TimeoutError):
        return NotConnected(NotSentReason.CONNECT_TIMEOUT, f"no connection within {connect_s:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message
        return NotConnected(NotSentReason.TLS, f"its certificate is not accepted ({said})")
    if isinstance(error, ssl.SSLError):
        return NotConnected(NotSentReason.TLS, "the TLS handshake failed")
    if isinstance(error, ConnectionRefusedError):
        return NotConnected(NotSentReason.CONNECTION_REFUSED, "it refuses connections")
    if type(error).__name__ == "gaierror":
        return NotConnected(NotSentReason.DNS, "its name does not resolve")
    return NotConnected(NotSentReason.CONNECT_FAILED, "no connection")
