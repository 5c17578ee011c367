"""The menus of an account: default and conditional ones, and who sees which. Pure state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from zhongkong.emulator.users import PHONE_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zhongkong.emulator.users import EmulatedUser

WITHDRAWN: Final = frozenset({"sex", "country", "province", "city", "language"})
"""Fields of rules that the platform gave up for privacy's sake: such a rule matches nobody."""


@dataclass(frozen=True, slots=True)
class Button:
    """A leaf has a kind and the fields of that kind; a parent has children and nothing else."""

    name: str
    kind: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    children: tuple[Button, ...] = ()

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


@dataclass(slots=True)
class Menus:
    """`default` is None where no call made a menu. `conditional` stand in order of creation."""

    default: Buttons | None = None
    default_id: int = 0
    conditional: list[ConditionalMenu] = field(default_factory=list)
    _last_id: int = 208_396_900

    def create(self, buttons: Buttons, *, keep_conditional: bool) -> None:
        self.default, self.default_id = buttons, self._next_id()
        if not keep_conditional:
            self.conditional.clear()

    def delete(self) -> None:
        self.default = None
        self.conditional.clear()

    def add(self, buttons: Buttons, rule: Mapping[str, str]) -> int:
        menuid = self._next_id()
        self.conditional.append(ConditionalMenu(menuid, buttons, rule))
        return menuid

    def remove(self, menuid: int) -> bool:
        """False when there is no such conditional menu."""
        kept = [each for each in self.conditional if each.menuid != menuid]
        gone = len(kept) < len(self.conditional)
        self.conditional = kept
        return gone

    def seen_by(self, user: EmulatedUser) -> Buttons | None:
        """The newest conditional menu that matches, else the default one."""
        for each in reversed(self.conditional):
            if each.matches(user):
                return each.buttons
        return self.default

    def uses_media(self, media_id: str) -> bool:
        menus: Sequence[Buttons] = [
            self.default or (),
            *(each.buttons for each in self.conditional),
        ]
        return any(
            leaf.field("media_id") == media_id
            for buttons in menus
            for button in buttons
            for leaf in button.leaves()
        )

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id
