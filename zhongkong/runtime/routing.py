"""What resources share that lead requests to their handlers by a table of their own.

aiohttp's dynamic routes take longer than many a handler, and can't change while the server runs.
Which paths there are is each resource's own affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp.web_urldispatcher import AbstractRoute
    from yarl import URL


class ReadyMatch(web.UrlMappingMatchInfo):
    """A match that is made once and serves every request on its path."""

    def add_app(self, app: web.Application) -> None:
        """Leave the list of applications empty: it would grow with each request."""

    def freeze(self) -> None:
        """There is nothing to freeze."""


class TableResource(web.AbstractResource):
    """At the root of its listener, with no URL to be made for it. Derived classes `resolve`."""

    def __init__(self, canonical: str) -> None:
        super().__init__()
        self._canonical = canonical

    @property
    def canonical(self) -> str:
        return self._canonical

    def url_for(self, **_: str) -> URL:
        raise NotImplementedError("no URL is made from a table; its paths are documented")

    def add_prefix(self, prefix: str) -> None:
        raise NotImplementedError("a table stands at the root of its listener")

    def get_info(self) -> Any:
        return {"path": self._canonical}

    def raw_match(self, path: str) -> bool:
        return path == self._canonical

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[AbstractRoute]:
        return iter(())
