"""The menus of an account at one moment, and who sees which of them. Pure values.

How they follow one another is in menus.py, what phones keep of them in menu_sight.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from zhongkong.emulator.users import PHONE_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zhongkong.emulator.users import EmulatedUser

WITHDRAWN: Final = frozenset({"sex", "country", "province", "city", "language"})
"""Fields of rules that the platform gave up for privacy's sake: such a rule matches nobody."""

Origin = Literal["default", "conditional", "console", "none"]


@dataclass(frozen=True, slots=True)
class Button:
    """A leaf has a kind and the fields of that kind; a parent has children and nothing else.

    `articles`: of a leaf of kind `news`, which only the web console makes.
    """

    name: str
    kind: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    children: tuple[Button, ...] = ()
    articles: tuple[Mapping[str, Any], ...] = ()

    def leaves(self) -> Iterator[Button]:
        yield from self.children or (self,)

    def field(self, name: str) -> str:
        return dict(self.fields).get(name, "")


Buttons: TypeAlias = tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class ConditionalMenu:
    """A menu for those whom `rule` matches. Values of rules are texts, none is empty."""

    menuid: int
    buttons: Buttons
    rule: Mapping[str, str]

    def matches(self, user: EmulatedUser) -> bool:
        """Of several tags the one applied last counts."""
        if not WITHDRAWN.isdisjoint(self.rule):
            return False
        tag, phone = self.rule.get("tag_id"), self.rule.get("client_platform_type")
        last_tag = str(user.tags[-1]) if user.tags else None
        return tag in {None, last_tag} and phone in {None, PHONE_NUMBERS[user.phone]}


@dataclass(frozen=True, slots=True)
class ShownMenu:
    """What one user gets to see, and where it comes from. False when it is nothing."""

    buttons: Buttons = ()
    origin: Origin = "none"
    menuid: int | None = None

    def __bool__(self) -> bool:
        return bool(self.buttons)


NOTHING: Final = ShownMenu()


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuState:
    """`default` is what a call made, `console` what was published in the web console: one at most.

    `conditional` stand in order of creation. Where the menu isn't open, nobody sees any of it.
    """

    is_open: bool = True
    default: Buttons | None = None
    default_id: int = 0
    console: Buttons | None = None
    conditional: tuple[ConditionalMenu, ...] = ()

    @property
    def is_shown(self) -> bool:
        """Whether a follower whom no rule matches sees a menu."""
        return self.is_open and bool(self.default or self.console)

    def matching(self, user: EmulatedUser) -> ConditionalMenu | None:
        """The newest conditional menu that matches."""
        return next((each for each in reversed(self.conditional) if each.matches(user)), None)

    def shown_to(self, user: EmulatedUser) -> ShownMenu:
        """What WeChat gives this user's phone now."""
        if not (self.is_open and user.following):
            return NOTHING
        special = self.matching(user)
        if special is not None:
            return ShownMenu(special.buttons, "conditional", special.menuid)
        if self.default:
            return ShownMenu(self.default, "default", self.default_id)
        return ShownMenu(self.console, "console") if self.console else NOTHING

    def leaves(self) -> Iterator[Button]:
        """Of all menus that calls made."""
        for buttons in (self.default or (), *(each.buttons for each in self.conditional)):
            for button in buttons:
                yield from button.leaves()
