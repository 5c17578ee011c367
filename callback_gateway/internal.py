"""What the gateway answers on its internal listener, beside what every service does there.

Dead letters are listed by whoever may read; the event itself, which is personal data, is shown to
the holder of the admin key alone, who may also redrive and drop. That is audited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from callback_gateway import letter_inputs as inputs
from callback_gateway.audit import ADMIN, ADMIN_ACTED
from callback_gateway.inbox.records import Selection
from zhongkong.runtime.admin import internal_app
from zhongkong.runtime.answers import json_answer, rfc3339
from zhongkong.runtime.problems import Problem, read_json, request_id
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from aiohttp import web

    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import DeadLetter
    from zhongkong.runtime.admin import Guard
    from zhongkong.runtime.health import Readiness

T = TypeVar("T")

LETTERS_PATH: Final = "/v1/dead-letters"
LETTER_PATH: Final = "/v1/dead-letters/{id}"
REDRIVE_PATH: Final = "/v1/dead-letters/redrive"
DROP_PATH: Final = "/v1/dead-letters/drop"
ENABLEMENT_PATH: Final = "/v1/targets/{name}/enablement"

BODY_LIMIT: Final = 300 * 1024
"""IDS_AT_MOST ids, and some."""
_BATCH: Final = 1000
_BATCHES: Final = 10
"""Per request; the caller repeats it while there are more."""


def make_internal_app(
    guard: Guard,
    readiness: Readiness,
    inbox: Inbox,
    *,
    status: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    targets: Callable[[], Collection[str]],
    wake: Callable[[], None],
) -> web.Application:
    """The application of the internal listener.

    `targets` are the names of those in force, `wake` tells the dispatcher that something is due.
    """
    app = internal_app(guard, readiness, status=status, metrics=metrics, body_limit=BODY_LIMIT)
    letters = _Letters(guard, inbox, wake)
    app.router.add_get(LETTERS_PATH, letters.list)
    app.router.add_get(LETTER_PATH, letters.show)
    app.router.add_post(REDRIVE_PATH, letters.redrive)
    app.router.add_post(DROP_PATH, letters.drop)

    async def enable(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in targets():
            raise Problem(404, "Unknown target", "No target of this name is configured.")
        changed = await _asked(inbox.enable(name))
        _audit(request, "target_enabled", name, int(changed))
        wake()
        return json_answer({"target": name, "enabled": True, "was_disabled": changed})

    app.router.add_post(ENABLEMENT_PATH, enable)
    return app


class _Letters:
    """Dead letters, listed, shown, redriven and dropped."""

    def __init__(self, guard: Guard, inbox: Inbox, wake: Callable[[], None]) -> None:
        self._guard = guard
        self._inbox = inbox
        self._wake = wake

    async def list(self, request: web.Request) -> web.Response:
        wanted = inputs.listing(request.query.items())
        page = await _asked(
            self._inbox.dead_letters(wanted.selection, after=wanted.after, limit=wanted.limit)
        )
        letters = [_summary(letter) for letter in page.letters]
        return json_answer({"dead_letters": letters, "next": page.next})

    async def show(self, request: web.Request) -> web.Response:
        identity = inputs.letter_id(request.match_info["id"])
        page = await _asked(self._inbox.dead_letters(Selection(ids=(identity,)), limit=1))
        if not page.letters:
            raise Problem(404, "Unknown dead letter", "No dead letter has this id.")
        (letter,) = page.letters
        document = _summary(letter)
        if self._guard.knows(request):
            document["event"] = _event(letter.document)
            _audit(request, "dead_letter_shown", letter.id, 1)
        else:
            document["event_withheld"] = "Set `admin_key_sha256` and send the admin key to see it."
        return json_answer(document)

    async def redrive(self, request: web.Request) -> web.Response:
        count, more = await self._change(request, "dead_letters_redriven", self._inbox.redrive)
        self._wake()
        return json_answer({"redriven": count, "more": more})

    async def drop(self, request: web.Request) -> web.Response:
        count, more = await self._change(request, "dead_letters_dropped", self._inbox.drop)
        return json_answer({"dropped": count, "more": more})

    async def _change(
        self, request: web.Request, what: str, change: Callable[..., Awaitable[int]]
    ) -> tuple[int, bool]:
        """How many were changed, and whether there may be more."""
        chosen = inputs.selection(await read_json(request, limit=BODY_LIMIT))
        total = 0
        try:
            for _ in range(_BATCHES):
                count = await _asked(change(chosen, limit=_BATCH))
                total += count
                if count < _BATCH:
                    return total, False
            return total, True
        finally:
            # Whatever cut it short: what was done by then has been done by somebody.
            _audit(request, what, inputs.words(chosen), total)


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except StoreUnavailable:
        raise Problem(
            503,
            "Store away",
            "The store can't be reached; a part may have been done. Try again.",
            headers={"Retry-After": "5"},
        ) from None


def _audit(request: web.Request, what: str, selection: str, count: int) -> None:
    ADMIN_ACTED.write(request_id(request), ADMIN, what, selection, count)


def _summary(letter: DeadLetter) -> dict[str, Any]:
    """All but the event."""
    return {
        "id": letter.id,
        "event_id": letter.event_id,
        "account": letter.account,
        "target": letter.target,
        "kind": str(letter.kind),
        "reason": letter.reason,
        "accepted_at": rfc3339(letter.accepted_at),
        "died_at": rfc3339(letter.died_at),
        "attempts": [
            {
                "at": rfc3339(attempt.at),
                "took_s": round(attempt.took_s, 3),
                "outcome": attempt.outcome,
            }
            for attempt in letter.attempts
        ],
    }


def _event(document: bytes) -> Any:
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return document.decode("utf-8", "replace")
