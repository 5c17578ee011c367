"""The way to the account's server: aiohttp's client, bounded in time and size. No decisions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, hdrs
from yarl import URL

from zhongkong.emulator.callbacks.deliveries import Delivered, Delivery, Undelivered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientResponse

    from zhongkong.emulator.callbacks.letters import Letter

_ANSWER_AT_MOST: Final = 256 * 1024
_HEADERS: Final[dict[str, str]] = {hdrs.USER_AGENT: "Mozilla/4.0", hdrs.ACCEPT: "*/*"}
_NO_LIMITS: Final = ClientTimeout(total=None, sock_connect=None, sock_read=None)


class Postman:
    """One per emulator. Its session is made at the first letter, since aiohttp wants a loop."""

    def __init__(self) -> None:
        self._sessions: dict[bool, ClientSession] = {}

    async def post(
        self, url: str, letter: Letter, *, deadline_s: float, keep_open_s: float, keep_alive: bool
    ) -> Delivery:
        """Send it once; `deadline_s` spans connecting and the whole answer. Never raises.

        What comes in the `keep_open_s` after that is marked as late.
        """
        return await self._exchange(
            hdrs.METH_POST,
            _target(url, letter.query),
            {**_HEADERS, hdrs.CONTENT_TYPE: letter.content_type},
            letter.body,
            deadline_s=deadline_s,
            keep_open_s=keep_open_s,
            keep_alive=keep_alive,
        )

    async def get(self, url: str, query: Mapping[str, str], *, deadline_s: float) -> Delivery:
        """The verification's question, on a connection of its own. Never raises."""
        target = _target(url, query)
        return await self._exchange(
            hdrs.METH_GET,
            target,
            _HEADERS,
            None,
            deadline_s=deadline_s,
            keep_open_s=0.0,
            keep_alive=False,
        )

    async def put(self, url: str, body: bytes, *, deadline_s: float) -> Delivery:
        """Bring JSON to a URL of the account's, on a connection of its own. Never raises."""
        return await self._exchange(
            hdrs.METH_PUT,
            URL(url, encoded=True),
            {**_HEADERS, hdrs.CONTENT_TYPE: "application/json"},
            body,
            deadline_s=deadline_s,
            keep_open_s=0.0,
            keep_alive=False,
        )

    async def close(self) -> None:
        """Connections end; what was under way ends as if refused."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _exchange(
        self,
        method: str,
        target: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        deadline_s: float,
        keep_open_s: float,
        keep_alive: bool,
    ) -> Delivery:
        loop = asyncio.get_running_loop()
        due = loop.time() + deadline_s
        try:
            async with (
                asyncio.timeout(deadline_s + keep_open_s),
                self._session(keep_alive=keep_alive).request(
                    method, target, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                answer = await _read(response)
                if answer is None:
                    return Undelivered(
                        "too_large", f"the answer is larger than {_ANSWER_AT_MOST} bytes"
                    )
                return Delivered(response.status, answer, late=loop.time() > due)
        except TimeoutError:
            return Undelivered("timeout", f"no answer within {deadline_s:g} s")
        except (ClientError, OSError, ValueError) as error:
            return Undelivered("connection", f"no connection, or a broken one: {_named(error)}")

    def _session(self, *, keep_alive: bool) -> ClientSession:
        session = self._sessions.get(keep_alive)
        if session is None:
            # How many connections there are at a time is the office's business.
            session = self._sessions[keep_alive] = ClientSession(
                connector=TCPConnector(limit=0, force_close=not keep_alive),
                cookie_jar=DummyCookieJar(),
                timeout=_NO_LIMITS,
                skip_auto_headers=(hdrs.ACCEPT_ENCODING,),
            )
        return session


async def _read(response: ClientResponse) -> bytes | None:
    """None when there is more than anybody should answer."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > _ANSWER_AT_MOST:
            response.close()
            return None
        parts.append(part)
    return b"".join(parts)


def _target(url: str, query: Mapping[str, str]) -> URL:
    """The URL's own query stays as it is, in front."""
    return URL(f"{url}{'&' if '?' in url else '?'}{urlencode(query)}", encoded=True)


def _named(error: Exception) -> str:
    """Its class and the system's words, without the query that the texts of some errors repeat."""
    cause = error if isinstance(error, OSError) else error.__cause__
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else ""
    return f"{type(error).__name__} ({said})" if said else type(error).__name__
