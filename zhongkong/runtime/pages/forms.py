"""What a form of our pages sent, read within bounds, and only from our own pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from zhongkong.runtime.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from zhongkong.runtime.pages.sessions import Session

CSRF_FIELD: Final = "csrf"

_TYPE: Final = "application/x-www-form-urlencoded"
_BODY_LIMIT: Final = 8 * 1024
_FIELDS_AT_MOST: Final = 16
_TIMEOUT_S: Final = 10.0


async def read_form(request: web.Request) -> dict[str, str]:
    """The fields, each of which comes once.

    Raises Problem: 403 from another site's page, 400, 408, 413, 415 for what is no form of ours.
    """
    check_origin(request)
    if request.content_type != _TYPE:
        raise Problem(415, detail="The forms of these pages send plain fields.")
    body = bytearray()
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > _BODY_LIMIT:
                    raise Problem(413, detail=f"A form here has at most {_BODY_LIMIT} bytes.")
    except TimeoutError:
        raise Problem(408, detail=f"The form did not arrive within {_TIMEOUT_S:g} s.") from None
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FIELDS_AT_MOST,
        )
    except ValueError:
        raise Problem(400, detail="The form can't be read.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Problem(400, detail="A field of the form came twice.")
    return fields


def check_origin(request: web.Request) -> None:
    """Browsers tell which site's page sent a form. Raises Problem: 403 unless it was ours.

    The Host is one of our own names by then. Only host and port are compared: what ends TLS before
    us may speak https where we speak http.
    """
    try:
        origin = urlsplit(request.headers.get("Origin", ""))
    except ValueError:
        origin = urlsplit("")
    host = request.headers.get("Host", "")
    if origin.scheme not in {"http", "https"} or not host or origin.netloc.lower() != host.lower():
        raise Problem(
            403,
            "Not from our page",
            "Forms are taken from these pages alone; programs use the API with the admin key.",
        )


def check_csrf(session: Session, fields: Mapping[str, str]) -> None:
    """Raises Problem: 403 for a form that wasn't made for this login."""
    if not session.is_own(fields.get(CSRF_FIELD, "")):
        raise Problem(
            403, "Not this login's form", "Go back, load the page again, and send the form again."
        )
