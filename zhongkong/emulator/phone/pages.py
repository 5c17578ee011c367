"""Serves the phone page: files of this package, read once, under a strict policy.

Nothing here knows the model. The page reaches it through the control calls, as everybody does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

ROOT: Final = "/phone"
INDEX: Final = "index.html"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Another version of the emulator has the same addresses.
    hdrs.CACHE_CONTROL: "no-cache",
}


@dataclass(frozen=True, slots=True)
class _File:
    content_type: str
    body: bytes = field(repr=False)
    digest: str


class Pages:
    """The files are read when it is made."""

    def __init__(self) -> None:
        self._files = dict(_read(files(__package__), ""))

    def mount(self, app: web.Application) -> None:
        """`/` is the page, everything that it loads lies under /phone/."""
        app.router.add_get("/", self.index)
        app.router.add_get(ROOT, self.redirect)
        app.router.add_get(ROOT + "/{name:.*}", self.file)

    async def index(self, http: web.Request) -> web.Response:
        return _answer(http, self._files[INDEX])

    async def redirect(self, _: web.Request) -> web.Response:
        raise web.HTTPFound("/")

    async def file(self, http: web.Request) -> web.Response:
        found = self._files.get(http.match_info["name"] or INDEX)
        if found is None:
            return web.Response(status=404, text="no such file of the phone page\n")
        return _answer(http, found)


def _read(folder: Traversable, prefix: str) -> Iterator[tuple[str, _File]]:
    for each in folder.iterdir():
        _, dot, suffix = each.name.rpartition(".")
        if each.is_dir():
            yield from _read(each, f"{prefix}{each.name}/")
        elif content_type := _TYPES.get(dot + suffix):
            body = each.read_bytes()
            yield prefix + each.name, _File(content_type, body, sha256(body).hexdigest()[:32])


def _answer(http: web.Request, file: _File) -> web.Response:
    headers = {**_HEADERS, hdrs.ETAG: f'"{file.digest}"'}
    asked = http.if_none_match or ()
    if any(each.value == file.digest for each in asked):
        return web.Response(status=304, headers=headers)
    return web.Response(
        body=file.body, content_type=file.content_type, charset="utf-8", headers=headers
    )
