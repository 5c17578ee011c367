"""From a path to its handler: a table of ready matches, and one handler for all other paths.

aiohttp's own dynamic routes take longer than all the rest of a hand-out, and can't change while the
server runs. This is one resource below "/" whose table is replaced when accounts change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11

from token_service.problems import bad_expectation
from zhongkong.runtime.routing import ReadyMatch, TableResource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NO_METHODS: set[str] = set()


class ApiResource(TableResource):
    """Every path of the application; `fallback` takes what is not in the table.

    `others` takes the request targets that `is_other` says aren't ours.
    """

    def __init__(
        self,
        fallback: Handler,
        others: Handler | None = None,
        is_other: Callable[[str], bool] = lambda _: False,
    ) -> None:
        super().__init__("/")
        self._fallback = self._match(fallback)
        self._others = self._fallback if others is None else self._match(others)
        self._is_other = is_other
        self._gets: dict[str, ReadyMatch] = {}

    def replace(self, gets: Mapping[str, Handler]) -> None:
        """Give plain GETs of these very paths to these handlers."""
        self._gets = {path: self._match(handler) for path, handler in gets.items()}

    async def resolve(self, request: web.Request) -> tuple[ReadyMatch, set[str]]:
        if self._is_other(request.raw_path):
            return self._others, _NO_METHODS
        match = self._gets.get(request.rel_url.path_safe)
        if match is None or request.method != hdrs.METH_GET:
            match = self._fallback
        return match, _NO_METHODS

    def _match(self, handler: Handler) -> ReadyMatch:
        route = web.ResourceRoute(hdrs.METH_ANY, handler, self, expect_handler=_expectation)
        return ReadyMatch({}, route)


async def _expectation(request: web.Request) -> None:
    """100-continue is met; another expectation can't be."""
    if request.version < HttpVersion11:
        return
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise bad_expectation()
    await request.writer.write(_CONTINUE)
    # What was written so far is not yet the response.
    request.writer.output_size = 0
