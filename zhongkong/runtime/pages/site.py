"""The pages of one internal listener: their addresses, the login, and the forms that change things.

A service brings templates, what stands in them, and deeds; who may look is the guard's to say.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from zhongkong.runtime.admin import FORMS, LOGIN_PATH, SCRIPT_PATH, STYLE_PATH
from zhongkong.runtime.pages import cookies
from zhongkong.runtime.pages.assets import asset
from zhongkong.runtime.pages.forms import check_csrf, read_form
from zhongkong.runtime.pages.headers import harden, policy_of
from zhongkong.runtime.pages.logins import Logins, Try
from zhongkong.runtime.pages.telling import QUERY_AT_MOST
from zhongkong.runtime.pages.visits import Visit
from zhongkong.runtime.pages.words import LANGUAGES, Words, choose_language
from zhongkong.runtime.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from zhongkong.runtime.admin import Guard
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.pages.rendering import Renderer
    from zhongkong.runtime.pages.visits import Brand, Deed, View

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ROOT: Final = "/"
FRAGMENT_PATH: Final = "/fragment"
LOGOUT_PATH: Final = f"{FORMS}logout"

_KEY_FIELD: Final = "key"
_LOGIN: Final = "login.html.j2"
_PROBLEM: Final = "problem.html.j2"


class Site:
    """Mounted once on the app of an internal listener."""

    def __init__(
        self,
        app: web.Application,
        guard: Guard,
        brand: Brand,
        *,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._router = app.router
        self._guard = guard
        self._brand = brand
        self._logins = Logins(guard, brand.service, clock, randomness)
        self._renderer: Renderer | None = None
        self._words = {each: Words(each, brand.table) for each in LANGUAGES}
        guard.accept(self._logins)
        self._router.add_get(LOGIN_PATH, self._show_login)
        self._router.add_post(LOGIN_PATH, self._log_in)
        self._router.add_post(LOGOUT_PATH, self._log_out)
        self._router.add_get(STYLE_PATH, self._asset("page.css", "text/css"))
        self._router.add_get(SCRIPT_PATH, self._asset("page.js", "text/javascript"))

    def add_status_page(self, template: str, view: View) -> None:
        """The page at `/`, and its content alone, with which it renews itself."""

        async def renew(request: web.Request) -> web.Response:
            visit = self._visit(request)
            values = {**self._common(visit), **await view(visit)}
            return self._answer(visit, await self._rendered(template, values, whole=False))

        self.add_page(ROOT, template, view, fragment=FRAGMENT_PATH)
        self._router.add_get(FRAGMENT_PATH, renew)

    def add_page(self, path: str, template: str, view: View, *, fragment: str = "") -> None:
        """A page whose content `view` tells."""

        async def show(request: web.Request) -> web.Response:
            visit = self._visit(request)
            try:
                values = await view(visit)
            except Problem as problem:
                return await self._show_problem(visit, problem)
            news = None if visit.session is None else visit.session.take_news()
            return await self._page(visit, template, {**values, "news": news, "fragment": fragment})

        self._router.add_get(path, show)

    def add_document(self, path: str, make: Callable[[Visit], Awaitable[str]]) -> None:
        """A page that `make` writes whole, with one style sheet inside and no script."""

        async def show(request: web.Request) -> web.Response:
            visit = self._visit(request)
            try:
                text = await make(visit)
            except Problem as problem:
                return await self._show_problem(visit, problem)
            answer = self._answer(visit, text)
            answer.headers["Content-Security-Policy"] = policy_of(text)
            return answer

        self._router.add_get(path, show)

    def add_form(self, name: str, deed: Deed) -> None:
        """A change at /forms/NAME; the status page then tells what came of it."""

        async def act(request: web.Request) -> web.Response:
            visit = self._visit(request)
            fields = await self._checked(visit)
            if visit.session is None:
                return _see(LOGIN_PATH)
            try:
                visit.session.news = (await deed(visit, fields), True)
            except Problem as problem:
                why = visit.words.said("problem", problem.detail or problem.title)
                visit.session.news = (visit.words("not_done", why=why), False)
            return _see(ROOT)

        self._router.add_post(f"{FORMS}{name}", act)

    # -- login -----------------------------------------------------------------------------------

    async def _show_login(self, request: web.Request) -> web.Response:
        visit = self._visit(request)
        if visit.session is not None or not self._guard.has_key:
            return _see(ROOT)
        return await self._login_page(visit)

    async def _log_in(self, request: web.Request) -> web.Response:
        visit = self._visit(request)
        key = (await read_form(request)).get(_KEY_FIELD, "").strip()
        match self._logins.attempt(request, key):
            case Try.RIGHT:
                answer = _see(ROOT)
                self._logins.begin(request, answer)
                return answer
            case Try.WRONG:
                return await self._login_page(visit, visit.words("wrong_key"), status=403)
            case Try.TOO_SOON:
                seconds = max(self._logins.wait_s(request), 1)
                trouble = visit.words("too_many_tries", seconds=seconds)
                answer = await self._login_page(visit, trouble, status=429)
                answer.headers["Retry-After"] = str(seconds)
                return answer

    async def _log_out(self, request: web.Request) -> web.Response:
        await self._checked(self._visit(request))
        answer = _see(LOGIN_PATH)
        self._logins.end(request, answer)
        return answer

    async def _login_page(
        self, visit: Visit, trouble: str = "", *, status: int = 200
    ) -> web.Response:
        return await self._page(visit, _LOGIN, {"trouble": trouble}, status)

    # -- answers ---------------------------------------------------------------------------------

    def _visit(self, request: web.Request) -> Visit:
        language = choose_language(
            request.query.get("lang"),
            request.cookies.get(cookies.LANGUAGE_COOKIE),
            request.headers.get("Accept-Language", ""),
        )
        session = self._logins.session_of(request)
        return Visit(request, self._words[language], session, self._guard.knows(request))

    @staticmethod
    async def _checked(visit: Visit) -> dict[str, str]:
        """The fields of a form that comes from a page made for this login. Raises Problem."""
        fields = await read_form(visit.request)
        if visit.session is not None:
            check_csrf(visit.session, fields)
        return fields

    def _common(self, visit: Visit) -> dict[str, Any]:
        """What every page names."""
        return {
            "t": visit.words,
            "title": visit.words(self._brand.title),
            "may_act": visit.session is not None,
            "knows_key": visit.knows_key,
            "has_key": self._guard.has_key,
            "csrf": "" if visit.session is None else visit.session.csrf,
            "languages": LANGUAGES,
            "news": None,
            "fragment": "",
        }

    async def _show_problem(self, visit: Visit, problem: Problem) -> web.Response:
        return await self._page(visit, _PROBLEM, {"problem": problem}, problem.status)

    async def _page(
        self, visit: Visit, template: str, values: Mapping[str, Any], status: int = 200
    ) -> web.Response:
        whole = {**self._common(visit), **values}
        return self._answer(visit, await self._rendered(template, whole, whole=True), status)

    def _answer(self, visit: Visit, text: str, status: int = 200) -> web.Response:
        answer = web.Response(text=text, status=status, content_type="text/html", charset="utf-8")
        harden(answer)
        if visit.request.query.get("lang") in LANGUAGES:
            cookies.set_language(answer, visit.words.language)
        return answer

    async def _rendered(self, template: str, values: Mapping[str, Any], *, whole: bool) -> str:
        """On a thread: neither reading templates nor many rows hold up a call of the service."""
        return await asyncio.to_thread(self._render, template, values, whole=whole)

    def _render(self, template: str, values: Mapping[str, Any], *, whole: bool) -> str:
        if self._renderer is None:
            # Who never looks at a page needs none of the templates' machinery.
            from zhongkong.runtime.pages.rendering import Renderer  # noqa: PLC0415

            self._renderer = Renderer(self._brand.package)
        return (
            self._renderer.page(template, values)
            if whole
            else self._renderer.part(template, values)
        )

    @staticmethod
    def _asset(name: str, content_type: str) -> Handler:
        async def serve(_request: web.Request) -> web.Response:
            body = await asyncio.to_thread(asset, name)
            answer = web.Response(body=body, content_type=content_type, charset="utf-8")
            harden(answer)
            return answer

        return serve


def query_of(visit: Visit) -> str:
    """What the rows of a page are filtered by."""
    return visit.request.query.get("q", "").strip()[:QUERY_AT_MOST]


def _see(path: str) -> web.Response:
    answer = web.Response(status=303, headers={"Location": path})
    harden(answer)
    return answer
