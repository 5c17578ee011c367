"""From a request's path to its account and handler, without a search.

aiohttp's dynamic routes cost as much as a parse of the message, and know accounts by no name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from zhongkong.runtime.routing import ReadyMatch, TableResource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ACCOUNT: Final = "account"
CALLBACK_PREFIX: Final = "/callback/"

_KNOWN_AT_MOST: Final = 4096
_METHODS: Final = {hdrs.METH_GET, hdrs.METH_POST}
_NONE: set[str] = set()


class Doorway(TableResource):
    """`GET` and `POST /callback/{account}`; other paths are none of it.

    Names are taken as they stand in the path: one with an encoded character is no account's.
    """

    def __init__(
        self, verify: Handler, receive: Handler, is_account: Callable[[str], bool]
    ) -> None:
        super().__init__(f"{CALLBACK_PREFIX}{{{ACCOUNT}}}")
        self._handlers = {hdrs.METH_GET: verify, hdrs.METH_POST: receive}
        self._is_account = is_account
        self._known: dict[tuple[str, str], ReadyMatch] = {}

    async def resolve(self, request: web.Request) -> tuple[ReadyMatch | None, set[str]]:
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
        match = ReadyMatch({ACCOUNT: name}, web.ResourceRoute(method, handler, self))
        if self._is_account(name) and len(self._known) < _KNOWN_AT_MOST:
            self._known[method, path] = match
        return match, _NONE
