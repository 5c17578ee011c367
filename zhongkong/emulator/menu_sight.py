"""What a user's phone shows of the menu: what it fetched when its owner last came in. Pure.

Source: WeChat's custom menu guide: the client fetches the menu anew when the user enters the chat
and the last fetch is older than 5 minutes; following anew shows it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zhongkong.emulator.menu_state import MenuState, ShownMenu
    from zhongkong.emulator.users import User

FETCHED_ANEW_AFTER_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class FetchedMenu:
    """A menu as a phone holds it; taps send its keys, whatever WeChat has by now."""

    shown: ShownMenu
    at: float


def look(user: User, state: MenuState, now: float, *, enters: bool, later: bool) -> FetchedMenu:
    """What the phone shows. Without `enters` its owner looks on at the chat that is open.

    `later`: its owner comes in as if more than 5 minutes had passed since the last fetch.
    A phone that has nothing yet fetches in any case: nobody can look without having entered.
    """
    if not user.profile.following:
        return FetchedMenu(state.shown_to(user.profile), now)
    held = user.menu
    if held is None or (enters and (later or now - held.at > FETCHED_ANEW_AFTER_S)):
        held = user.menu = FetchedMenu(state.shown_to(user.profile), now)
    return held
