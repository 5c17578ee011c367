"""Whether the users named in the desired file see the menus that it says they see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menu_worker.quota import QuotaSpent
from token_service.client import TokenServiceError
from zhongkong.wechat.errors import UpstreamError

if TYPE_CHECKING:
    from menu_worker.desired import Assertion, Desired
    from menu_worker.menu import Button, Menu
    from menu_worker.platform import WeChatMenus


async def contradiction(menus: WeChatMenus, desired: Desired) -> str | None:
    """The first assertion that doesn't hold, in words; None when all hold or none is given.

    Asks menu/trymatch once for each. What can't be asked contradicts too: it isn't verified.
    """
    for assertion in desired.assertions:
        try:
            seen = await menus.seen_by(assertion.user)
        except (UpstreamError, TokenServiceError, QuotaSpent) as error:
            return f"whether {assertion.user} sees {_named(assertion)} can't be asked: {error}"
        if seen != expected(desired.menu, assertion):
            return f"{assertion.user} doesn't see {_named(assertion)}, as `assert` says"
    return None


def expected(menu: Menu, assertion: Assertion) -> tuple[Button, ...]:
    """PURE: the buttons that an assertion names; of two menus with its rule, the newest."""
    found = menu.buttons
    for conditional in menu.conditional:
        if conditional.rule == assertion.rule:
            found = conditional.buttons
    return found


def _named(assertion: Assertion) -> str:
    return "the default menu" if assertion.rule is None else f"the menu for {assertion.rule}"
