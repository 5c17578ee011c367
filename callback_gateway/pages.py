"""The gateway's pages: what they ask for, what their forms do.

What they show is in status_page.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from callback_gateway import letter_inputs as inputs
from callback_gateway.status_page import (
    DROP_FORM,
    ENABLE_FORM,
    LETTER_PAGE,
    LETTER_TEMPLATE,
    LETTERS_SHOWN,
    REDRIVE_FORM,
    TEMPLATE,
    LetterPage,
    content,
    letter_content,
)
from zhongkong.runtime.pages.site import query_of
from zhongkong.runtime.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from callback_gateway.inbox.records import Selection
    from callback_gateway.letters import Letters
    from callback_gateway.recent import Traffic
    from zhongkong.runtime.pages.site import Site
    from zhongkong.runtime.pages.visits import Visit


class Pages:
    """The status page, and one of each dead letter."""

    def __init__(
        self,
        letters: Letters,
        status: Callable[[], dict[str, Any]],
        traffic: Callable[[], Traffic],
    ) -> None:
        self._letters = letters
        self._status = status
        self._traffic = traffic

    def mount(self, site: Site) -> None:
        """Add them to the site of the internal listener."""
        site.add_status_page(TEMPLATE, self._show)
        site.add_page(LETTER_PAGE, LETTER_TEMPLATE, self._show_letter)
        site.add_form(REDRIVE_FORM, self._redrive)
        site.add_form(DROP_FORM, self._drop)
        site.add_form(ENABLE_FORM, self._enable)

    async def _show(self, visit: Visit) -> Mapping[str, Any]:
        letters = await self._listed(visit)
        return content(self._status(), self._traffic(), letters, visit.words, query_of(visit))

    async def _listed(self, visit: Visit) -> LetterPage:
        query = visit.request.query
        asked = {name: query[name] for name in ("target", "after") if query.get(name)}
        wanted = inputs.listing([*asked.items(), ("limit", str(LETTERS_SHOWN))])
        target, after = wanted.selection.target, wanted.after
        try:
            summaries, following = await self._letters.page(wanted)
        except Problem:
            # The page is looked at most when the store is away.
            return LetterPage(None, target=target, after=after)
        return LetterPage(summaries, following, target, after)

    async def _show_letter(self, visit: Visit) -> Mapping[str, Any]:
        letter = await self._letters.one(
            visit.request, visit.request.match_info["id"], with_event=visit.knows_key
        )
        event = None
        if visit.knows_key:
            event = json.dumps(letter["event"], ensure_ascii=False, indent=2)
        return letter_content(letter, event, visit.words, self._status()["now"])

    async def _redrive(self, visit: Visit, fields: Mapping[str, str]) -> str:
        changed = await self._letters.redrive(visit.request, _chosen(fields))
        return _told(visit, "redriven", changed)

    async def _drop(self, visit: Visit, fields: Mapping[str, str]) -> str:
        return _told(visit, "dropped", await self._letters.drop(visit.request, _chosen(fields)))

    async def _enable(self, visit: Visit, fields: Mapping[str, str]) -> str:
        target = fields.get("target", "")
        changed = await self._letters.enable(visit.request, target)
        return visit.words("target_enabled" if changed else "target_was_enabled", target=target)


def _chosen(fields: Mapping[str, str]) -> Selection:
    """Those of one target, or a single one. Raises Problem."""
    if "id" in fields:
        return inputs.selection({"ids": [fields["id"]]})
    return inputs.selection({"target": fields["target"]} if "target" in fields else {})


def _told(visit: Visit, key: str, changed: tuple[int, bool]) -> str:
    count, more = changed
    told = visit.words(key, count=count)
    return visit.words("and_more", what=told) if more else told
