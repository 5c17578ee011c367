"""One way to the service: bounded requests over kept connections, never repeated unseen.

What is asked and how answers are read is in `requests`. aiohttp's session repeats idempotent
methods by itself when a connection breaks; a middleware turns those errors into one that it doesn't
repeat, since a GET that is passed on to WeChat may have an effect. Its exceptions may carry URLs,
so they are translated and never chained.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from token_service.client.errors import ServiceUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONNECT_S: Final = 2.0
_KEEP_ALIVE_S: Final = 30.0
_CONNECTIONS: Final = 100
_NO_CEILING: Final = 1e9
"""aiohttp rounds timeouts above a threshold up to whole seconds; ours are exact."""
_RETRY_AFTER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read whole. The body may hold a token."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class TooLarge(Exception):
    """The answer is longer than the caller wants to read."""


class _Broken(aiohttp.ClientError):
    """Stands in for errors after which aiohttp would repeat the request."""


class Link:
    """A session with one base URL. Needs a running loop. `base_url` was checked by `origin_of`."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_S, ttl_dns_cache=10
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "zhongkong-token-client", "Accept-Encoding": "identity"},
            trust_env=False,
            middlewares=(_never_twice,),
        )

    async def send(
        self,
        method: str,
        path: str,
        *,
        key: str,
        within_s: float,
        at_most: int,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: Any = None,
    ) -> Reply:
        """Send once; `path` is encoded already. Raises ServiceUnreachable, TooLarge."""
        try:
            async with (
                asyncio.timeout(within_s),
                self._session.request(
                    method,
                    URL(self._base_url + path, encoded=True),
                    params=params,
                    data=data,
                    headers={**(headers or {}), "Authorization": f"Bearer {key}"},
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(connect=_CONNECT_S, ceil_threshold=_NO_CEILING),
                ) as response,
            ):
                body = await _read(response, at_most)
                return Reply(response.status, response.headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise self._unreachable(f"no connection ({_cause(error)})", arrived=False) from None
        except TimeoutError:
            raise self._unreachable(f"no answer within {within_s:g} s", arrived=True) from None
        # uvloop reports some failures of a connection as RuntimeError.
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            what = f"the connection broke ({_cause(error)})"
            raise self._unreachable(what, arrived=True) from None

    async def close(self) -> None:
        await self._session.close()

    def _unreachable(self, what: str, *, arrived: bool) -> ServiceUnreachable:
        return ServiceUnreachable(
            f"the token service at {self._base_url} doesn't answer: {what}",
            retry_after_s=_RETRY_AFTER_S,
            may_have_arrived=arrived,
        )


def origin_of(base_url: str) -> str:
    """Check a base URL. Raises ValueError, which shows nothing of a URL with a password in it."""
    url = None
    with suppress(ValueError):
        url = URL(base_url)
    if (
        url is None
        or url.scheme not in {"http", "https"}
        or not url.host
        or url.user
        or url.password
        or url.query_string
        or url.fragment
    ):
        raise ValueError(
            "the base URL of a token service is written http://host:8081 or https://host, "
            "without user, query or fragment"
        )
    return str(url).rstrip("/")


async def _read(response: aiohttp.ClientResponse, at_most: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > at_most:
            raise TooLarge
    return bytes(body)


async def _never_twice(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broken(_cause(error)) from None


def _cause(error: BaseException) -> str:
    """A short name; the text of aiohttp's errors may bring the URL along."""
    if isinstance(error, _Broken):
        return str(error)
    inner = getattr(error, "os_error", None) or error
    strerror = getattr(inner, "strerror", None)
    return strerror if isinstance(strerror, str) and strerror else type(inner).__name__
