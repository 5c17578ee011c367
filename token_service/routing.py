"""From a path to its handler: a table of ready matches, and one handler for all other paths.

aiohttp's own dynamic routes take longer than all the rest of a hand-out, and can't change while the
server runs. This is one resource below "/" whose table is replaced when accounts change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11

from token_service.problems import bad_expectation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from aiohttp.web_urldispatcher import AbstractRoute
    from yarl import URL

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NO_METHODS: set[str] = set()


class _Match(web.UrlMappingMatchInfo):
    """A match without variables: made once, used for every request on its path."""

    def add_app(self, app: web.Application) -> None:
        """Leave the list of applications empty: it would grow with each request."""

    def freeze(self) -> None:
        """There is nothing to freeze."""


class ApiResource(web.AbstractResource):
    """Every path of the application; `fallback` takes what is not in the table.

    `others` takes the request targets that `is_other` says aren't ours.
    """

    def __init__(
        self,
        fallback: Handler,
        others: Handler | None = None,
        is_other: Callable[[str], bool] = lambda _: False,
    ) -> None:
        super().__init__()
        self._fallback = self._match(fallback)
        self._others = self._fallback if others is None else self._match(others)
        self._is_other = is_other
        self._gets: dict[str, _Match] = {}

    def replace(self, gets: Mapping[str, Handler]) -> None:
        """Give plain GETs of these very paths to these handlers."""
        self._gets = {path: self._match(handler) for path, handler in gets.items()}

    async def resolve(self, request: web.Request) -> tuple[_Match, set[str]]:
        if self._is_other(request.raw_path):
            return self._others, _NO_METHODS
        match = self._gets.get(request.rel_url.path_safe)
        if match is None or request.method != hdrs.METH_GET:
            match = self._fallback
        return match, _NO_METHODS

    def _match(self, handler: Handler) -> _Match:
        route = web.ResourceRoute(hdrs.METH_ANY, handler, self, expect_handler=_expectation)
        return _Match({}, route)

    @property
    def canonical(self) -> str:
        return "/"

    def url_for(self, **_: str) -> URL:
        raise NotImplementedError("paths are written out in openapi.json")

    def add_prefix(self, prefix: str) -> None:
        raise NotImplementedError("the API stands at the root of its listener")

    def get_info(self) -> Any:
        return {"path": self.canonical}

    def raw_match(self, path: str) -> bool:
        return path == self.canonical

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[AbstractRoute]:
        return iter(())


async def _expectation(request: web.Request) -> None:
    """100-continue is met; another expectation can't be."""
    if request.version < HttpVersion11:
        return
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise bad_expectation()
    await request.writer.write(_CONTINUE)
    # What was written so far is not yet the response.
    request.writer.output_size = 0
