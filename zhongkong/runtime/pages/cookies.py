"""The two cookies of the pages: the session's name, and the language somebody chose.

Cookies know no ports: several services on one machine share a jar. So a session's cookie is called
by service and port.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from zhongkong.runtime.pages.sessions import LIFE_S

if TYPE_CHECKING:
    from aiohttp import web

LANGUAGE_COOKIE: Final = "zhongkong_language"

_PORT: Final = re.compile(r":([0-9]{1,5})$")
_YEAR_S: Final = 365 * 24 * 3600


def session_cookie(request: web.Request, service: str) -> str:
    """What the session's cookie of this service is called on the address that was asked."""
    port = _PORT.search(request.headers.get("Host", ""))
    return f"{service}_session" + (f"_{port[1]}" if port else "")


def session_name(request: web.Request, service: str) -> str | None:
    """The session's name that came with the request."""
    return request.cookies.get(session_cookie(request, service))


def set_session(response: web.Response, request: web.Request, service: str, name: str) -> None:
    """Hand the session's name to the browser, which shows it to no script and no other site."""
    response.set_cookie(
        session_cookie(request, service),
        name,
        max_age=int(LIFE_S),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=_came_encrypted(request),
    )


def forget_session(response: web.Response, request: web.Request, service: str) -> None:
    """Have the browser drop it."""
    response.del_cookie(
        session_cookie(request, service),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=_came_encrypted(request),
    )


def set_language(response: web.Response, language: str) -> None:
    """Remember a choice. It says nothing about anybody."""
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR_S, path="/", httponly=True, samesite="Strict"
    )


def _came_encrypted(request: web.Request) -> bool:
    """Whether the browser's own connection is encrypted, as far as can be told.

    Anybody may write the header. It only ever makes a cookie stricter, and that of the writer.
    """
    forwarded = request.headers.get("X-Forwarded-Proto", "")
    return request.secure or forwarded.partition(",")[0].strip().lower() == "https"
