"""What becomes of an account's menus: every write by calls and every edit in the web console.

Each change leaves the whole state after it in the history, so that it can be proved that there was
no moment without a menu. Pure state.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from zhongkong.emulator.menu_state import ConditionalMenu, MenuState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.menu_state import Buttons

MenuMaker = Literal["api", "console"]
MenuAct = Literal[
    "create", "delete", "addconditional", "delconditional", "publish", "close", "open"
]

_CHANGES_HELD: Final = 10_000
_ID_BEFORE_FIRST: Final = 208_396_900


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuChange:
    """One write or edit that was carried out, and all menus as they were from then on."""

    seq: int
    at: float
    by: MenuMaker
    act: MenuAct
    after: MenuState


class Menus:
    """The state, and how it came about."""

    def __init__(self) -> None:
        self.state = MenuState()
        self.history: deque[MenuChange] = deque(maxlen=_CHANGES_HELD)
        """The newest ones, oldest first; `seq` counts from 1."""
        self._last_seq = 0
        self._last_id = _ID_BEFORE_FIRST

    @property
    def default(self) -> Buttons | None:
        """None where no call made a menu, or another one took its place."""
        return self.state.default

    @property
    def default_id(self) -> int:
        return self.state.default_id

    @property
    def conditional(self) -> tuple[ConditionalMenu, ...]:
        """In order of creation."""
        return self.state.conditional

    # ------------------------------------------------------------------ by calls

    def create(
        self, buttons: Buttons, now: float, *, keep_conditional: bool, opens: bool = False
    ) -> None:
        """Takes the place of what there was, whoever made that."""
        after = replace(
            self.state,
            default=buttons,
            default_id=self._next_id(),
            console=None,
            conditional=self.state.conditional if keep_conditional else (),
            is_open=self.state.is_open or opens,
        )
        self._change("api", "create", after, now)

    def delete(self, now: float, *, takes_console: bool) -> None:
        console = None if takes_console else self.state.console
        after = replace(self.state, default=None, console=console, conditional=())
        self._change("api", "delete", after, now)

    def add(self, buttons: Buttons, rule: Mapping[str, str], now: float) -> int:
        menuid = self._next_id()
        conditional = (*self.state.conditional, ConditionalMenu(menuid, buttons, rule))
        after = replace(self.state, conditional=conditional)
        self._change("api", "addconditional", after, now)
        return menuid

    def remove(self, menuid: int, now: float) -> bool:
        """False when there is no such conditional menu."""
        kept = tuple(each for each in self.conditional if each.menuid != menuid)
        if len(kept) == len(self.conditional):
            return False
        self._change("api", "delconditional", replace(self.state, conditional=kept), now)
        return True

    # ------------------------------------------------------------------ in the web console

    def publish(self, buttons: Buttons, now: float, *, keep_conditional: bool) -> None:
        """Takes the place of what a call made; a menu that was switched off is on again."""
        conditional = self.state.conditional if keep_conditional else ()
        after = MenuState(console=buttons, conditional=conditional)
        self._change("console", "publish", after, now)

    def switch(self, now: float, *, is_open: bool) -> None:
        """Switched off, nobody sees a menu; what there is stays."""
        after = replace(self.state, is_open=is_open)
        self._change("console", "open" if is_open else "close", after, now)

    # ------------------------------------------------------------------ questions

    def changes_after(self, seq: int) -> list[MenuChange]:
        """Oldest first."""
        return [each for each in self.history if each.seq > seq]

    @property
    def forgotten(self) -> int:
        """Changes that fell out of the history."""
        return self._last_seq - len(self.history)

    def uses_media(self, media_id: str) -> bool:
        return any(leaf.field("media_id") == media_id for leaf in self.state.leaves())

    def _change(self, by: MenuMaker, act: MenuAct, after: MenuState, now: float) -> None:
        self.state = after
        self._last_seq += 1
        self.history.append(MenuChange(seq=self._last_seq, at=now, by=by, act=act, after=after))

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id
