"""PURE: what not every account may have, said once for a file: warnings before WeChat says no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from menu_worker.button_rules import leaves
from menu_worker.limits import SUB, TOP
from menu_worker.texts import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from menu_worker.findings import At, Finding

NOT_THIS_KIND: Final = 65306
_NOTES: Final = {
    "miniprogram": "only verified accounts may have it, and the mini-program has to be linked to "
    "the account",
    "media_id": "it takes permanent material alone, a temporary media id is refused",
    "view_limited": "it takes permanent material alone, and newer accounts have "
    "article_view_limited instead",
    "article_id": "it takes an article that was published, and older accounts don't have it",
    "article_view_limited": "it takes an article that was published, and older accounts don't have "
    "it",
}


def account_hints(menus: Sequence[At], conditional: Sequence[At]) -> Iterator[Finding]:
    """`menus` are the lists of buttons of all menus; each type is remarked on where it is first."""
    told: set[str] = set()
    for buttons in menus:
        for leaf in leaves(buttons):
            kind = (text_of(leaf.get("type")) or "").lower()
            if kind in _NOTES and kind not in told:
                told.add(kind)
                tier = SUB if len(leaf.path) > len(buttons.path) + 1 else TOP
                yield leaf.get("type").warning(f"{kind}: {_NOTES[kind]}", tier.account)
    if conditional:
        what = "only verified accounts may have conditional menus"
        yield conditional[0].warning(what, NOT_THIS_KIND)
