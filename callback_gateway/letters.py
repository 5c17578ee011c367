"""Dead letters and switched-off targets for whoever is let in: read, redriven, dropped, enabled.

What somebody saw of an event or changed is audited here, whichever way it was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from callback_gateway import letter_inputs as inputs
from callback_gateway.audit import ADMIN, ADMIN_ACTED
from callback_gateway.inbox.records import Selection
from zhongkong.runtime.answers import rfc3339
from zhongkong.runtime.problems import Problem, request_id
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from aiohttp import web

    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import DeadLetter
    from callback_gateway.letter_inputs import Listing

T = TypeVar("T")

_BATCH: Final = 1000
_BATCHES: Final = 10
"""Per request; the caller repeats it while there are more."""


class Letters:
    """What the API and the pages do. All raise Problem: 503 while the store is away."""

    def __init__(
        self, inbox: Inbox, targets: Callable[[], Collection[str]], wake: Callable[[], None]
    ) -> None:
        self._inbox = inbox
        self._targets = targets
        self._wake = wake

    async def page(self, wanted: Listing) -> tuple[list[dict[str, Any]], str | None]:
        """Dead letters without their events, and where the next page begins."""
        page = await _asked(
            self._inbox.dead_letters(wanted.selection, after=wanted.after, limit=wanted.limit)
        )
        return [_summary(letter) for letter in page.letters], page.next

    async def one(self, request: web.Request, text: str, *, with_event: bool) -> dict[str, Any]:
        """One dead letter; with its event for the holder of the admin key. Raises Problem: 404."""
        identity = inputs.letter_id(text)
        page = await _asked(self._inbox.dead_letters(Selection(ids=(identity,)), limit=1))
        if not page.letters:
            raise Problem(404, "Unknown dead letter", "No dead letter has this id.")
        (letter,) = page.letters
        document = _summary(letter)
        if with_event:
            document["event"] = _event(letter.document)
            _audit(request, "dead_letter_shown", letter.id, 1)
        return document

    async def redrive(self, request: web.Request, chosen: Selection) -> tuple[int, bool]:
        """How many are due again, and whether there may be more."""
        changed = await self._change(request, "dead_letters_redriven", self._inbox.redrive, chosen)
        self._wake()
        return changed

    async def drop(self, request: web.Request, chosen: Selection) -> tuple[int, bool]:
        """How many are gone, and whether there may be more."""
        return await self._change(request, "dead_letters_dropped", self._inbox.drop, chosen)

    async def enable(self, request: web.Request, name: str) -> bool:
        """Let a target have deliveries again; False when it had them. Raises Problem: 404."""
        if name not in self._targets():
            raise Problem(404, "Unknown target", "No target of this name is configured.")
        changed = await _asked(self._inbox.enable(name))
        _audit(request, "target_enabled", name, int(changed))
        self._wake()
        return changed

    async def _change(
        self,
        request: web.Request,
        what: str,
        change: Callable[..., Awaitable[int]],
        chosen: Selection,
    ) -> tuple[int, bool]:
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
