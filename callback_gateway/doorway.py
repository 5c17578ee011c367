"""From a request's path to its account and handler, without a search.

aiohttp's dynamic routes cost as much as a parse of the message, and know accounts by no name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from aiohttp.web_urldispatcher import AbstractRoute
    from yarl import URL

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ACCOUNT: Final = "account"
CALLBACK_PREFIX: Final = "/callback/"

_KNOWN_AT_MOST: Final = 4096
_METHODS: Final = {hdrs.METH_GET, hdrs.METH_POST}
_NONE: set[str] = set()


class _Match(web.UrlMappingMatchInfo):
    """A match that serves every request on its path."""

    def add_app(self, app: web.Application) -> None:
        """Leave the list of applications empty: it would grow with each request."""

    def freeze(self) -> None:
        """There is nothing to freeze."""


class Doorway(web.AbstractResource):
    """`GET` and `POST /callback/{account}`; other paths are none of it.

    Names are taken as they stand in the path: one with an encoded character is no account's.
    """

    def __init__(
        self, verify: Handler, receive: Handler, is_account: Callable[[str], bool]
    ) -> None:
        super().__init__()
        self._handlers = {hdrs.METH_GET: verify, hdrs.METH_POST: receive}
        self._is_account = is_account
        self._known: dict[tuple[str, str], _Match] = {}

    async def resolve(self, request: web.Request) -> tuple[_Match | None, set[str]]:
        path, method = request.raw_path.partition("?")[0], request.method
        match = self._known.get((method, path))
        if match is not None:
            return match, _NONE
        name = path.removeprefix(CALLBACK_PREFIX)
        if name == path or not name or "/" in name:
            return None, _NONE
        handler = self._handlers.get(method)
        if handler is None:
            return None, _METHODS
        match = _Match({ACCOUNT: name}, web.ResourceRoute(method, handler, self))
        if self._is_account(name) and len(self._known) < _KNOWN_AT_MOST:
            self._known[method, path] = match
        return match, _NONE

    @property
    def canonical(self) -> str:
        return f"{CALLBACK_PREFIX}{{{ACCOUNT}}}"

    def url_for(self, **parts: str) -> URL:
        raise NotImplementedError("WeChat's console holds the address")

    def add_prefix(self, prefix: str) -> None:
        raise NotImplementedError("callbacks stand at the root of their listener")

    def get_info(self) -> Any:
        return {"path": self.canonical}

    def raw_match(self, path: str) -> bool:
        return path == self.canonical

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[AbstractRoute]:
        return iter(())
