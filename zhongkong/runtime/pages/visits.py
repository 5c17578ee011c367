"""What a service gives its pages, and what a page knows of who looks at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import web

    from zhongkong.runtime.pages.sessions import Session
    from zhongkong.runtime.pages.words import Table, Words


@dataclass(frozen=True, slots=True)
class Brand:
    """What is the same on all pages of a service."""

    service: str
    """Names the cookie: `token_service`."""
    package: str
    """Where its templates lie."""
    title: str
    """The key of the service's name in `table`."""
    table: Table


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody looks at a page, or sends one of its forms."""

    request: web.Request = field(repr=False)
    words: Words
    session: Session | None = field(repr=False)
    """None without a login: then no form is shown, and none is taken."""
    knows_key: bool
    """Logged in, or with the key itself: may see what users sent."""


View = Callable[[Visit], Awaitable[Mapping[str, Any]]]
"""What the template of a page names. May raise Problem."""

Deed = Callable[[Visit, Mapping[str, str]], Awaitable[str]]
"""Carries out what a form asks for, by its fields; returns what was done, in words. May raise
Problem; then the page says why it was not."""
