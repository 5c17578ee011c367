"""What the gateway answers on its internal listener, beside what every service does there.

Dead letters are listed by whoever may read; the event itself, which is personal data, is shown to
the holder of the admin key alone, who may also redrive and drop. That is audited. How people see
it is in pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from callback_gateway import letter_inputs as inputs
from callback_gateway.pages import Pages
from callback_gateway.status_page import BRAND
from zhongkong.runtime.admin import internal_app
from zhongkong.runtime.answers import json_answer
from zhongkong.runtime.pages.site import Site
from zhongkong.runtime.problems import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from callback_gateway.letters import Letters
    from callback_gateway.recent import Traffic
    from zhongkong.runtime.admin import Guard
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.health import Readiness

LETTERS_PATH: Final = "/v1/dead-letters"
LETTER_PATH: Final = "/v1/dead-letters/{id}"
REDRIVE_PATH: Final = "/v1/dead-letters/redrive"
DROP_PATH: Final = "/v1/dead-letters/drop"
ENABLEMENT_PATH: Final = "/v1/targets/{name}/enablement"

BODY_LIMIT: Final = 300 * 1024
"""IDS_AT_MOST ids, and some."""


def make_internal_app(
    guard: Guard,
    readiness: Readiness,
    letters: Letters,
    *,
    status: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    traffic: Callable[[], Traffic],
    clock: Clock,
    randomness: Randomness,
) -> web.Application:
    """The application of the internal listener."""
    app = internal_app(guard, readiness, status=status, metrics=metrics, body_limit=BODY_LIMIT)
    answers = _Answers(guard, letters)
    app.router.add_get(LETTERS_PATH, answers.list)
    app.router.add_get(LETTER_PATH, answers.show)
    app.router.add_post(REDRIVE_PATH, answers.redrive)
    app.router.add_post(DROP_PATH, answers.drop)
    app.router.add_post(ENABLEMENT_PATH, answers.enable)
    site = Site(app, guard, BRAND, clock=clock, randomness=randomness)
    Pages(letters, status, traffic).mount(site)
    return app


class _Answers:
    """The same in JSON."""

    def __init__(self, guard: Guard, letters: Letters) -> None:
        self._guard = guard
        self._letters = letters

    async def list(self, request: web.Request) -> web.Response:
        summaries, after = await self._letters.page(inputs.listing(request.query.items()))
        return json_answer({"dead_letters": summaries, "next": after})

    async def show(self, request: web.Request) -> web.Response:
        knows = self._guard.knows(request)
        document = await self._letters.one(request, request.match_info["id"], with_event=knows)
        if not knows:
            document["event_withheld"] = "Set `admin_key_sha256` and send the admin key to see it."
        return json_answer(document)

    async def redrive(self, request: web.Request) -> web.Response:
        chosen = inputs.selection(await read_json(request, limit=BODY_LIMIT))
        count, more = await self._letters.redrive(request, chosen)
        return json_answer({"redriven": count, "more": more})

    async def drop(self, request: web.Request) -> web.Response:
        chosen = inputs.selection(await read_json(request, limit=BODY_LIMIT))
        count, more = await self._letters.drop(request, chosen)
        return json_answer({"dropped": count, "more": more})

    async def enable(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        changed = await self._letters.enable(request, name)
        return json_answer({"target": name, "enabled": True, "was_disabled": changed})
