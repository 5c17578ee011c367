"""PURE: a menu as a page that looks like the phone: desired beside live, changes marked.

The page is one file: no script, nothing loaded from anywhere. Names and targets are what somebody
typed into a file or a console, and are shown as text only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from menu_worker.diff import DEFAULT
from menu_worker.label_width import cut
from menu_worker.limits import SUB, TOP
from menu_worker.preview_words import CHANGES, TYPES, audience
from menu_worker.steps import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jinja2 import Template

    from menu_worker.menu import Button, Live, Menu, Rule
    from menu_worker.steps import Change

TEMPLATE: Final = "preview.html.j2"

_CONSOLE: Final = "在网页后台制作，将被整体替换 · made in the web console, replaced as a whole"
_CLOSED: Final = "菜单在后台已停用 · the menu is switched off in the console"
_HIDDEN: Final = "后面有同规则菜单，无人可见 · never seen: a later menu has the same rule"
_NO_MENU: Final = "没有菜单 · no menu"


@dataclass(frozen=True, slots=True)
class Mark:
    """What happened to a button: a class of the style sheet, and words."""

    css: str
    words: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A button on the phone. `label` is what fits, `name` all of it."""

    label: str
    name: str
    kind: str
    fields: tuple[tuple[str, str], ...]
    marks: tuple[Mark, ...]
    children: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Phone:
    title: str
    css: str
    tiles: tuple[Tile, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A change in words: which button, from what to what."""

    mark: Mark
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Row:
    """One menu: the default one, or that of one rule."""

    heading: str
    audience: str
    phones: tuple[Phone, ...]
    sentences: tuple[Sentence, ...]
    compared: bool


def render(desired: Menu, live: Live | None, changes: Iterable[Change], account: str = "") -> str:
    """The HTML page. Without `live` the desired menu stands alone and nothing is marked."""
    told = tuple(changes) if live is not None else ()
    return _template().render(account=account, rows=_rows(desired, live, told))


@cache
def _template() -> Template:
    # The worker, which seldom draws phones, starts sooner without the templates' machinery.
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415

    # Its own name says HTML to people; escaping is on whatever it is called.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(files("menu_worker").joinpath(TEMPLATE).read_text("utf-8"))


def _rows(desired: Menu, live: Live | None, changes: Sequence[Change]) -> list[Row]:
    rows = [_default_row(desired, live, _of_menu(changes, DEFAULT))]
    live_menus = {each.rule: each for each in live.menu.conditional} if live else {}
    last = {each.rule: place for place, each in enumerate(desired.conditional)}
    for place, each in enumerate(desired.conditional):
        hidden = place != last[each.rule]
        told = () if hidden else _of_menu(changes, str(each.rule))
        marks = _marks(told, removed=False)
        phones = [_desired_phone(each.buttons, marks, _HIDDEN if hidden else "")]
        if live is not None and not hidden:
            before = live_menus.get(each.rule)
            phones.insert(0, _live_phone(before.buttons if before else (), told))
        rows.append(_row(each.rule, phones, told, compared=live is not None and not hidden))
    for rule, gone in live_menus.items():
        if rule not in last:
            told = _of_menu(changes, str(rule))
            phones = [_live_phone(gone.buttons, told), _desired_phone((), {}, "")]
            rows.append(_row(rule, phones, told, compared=True))
    return rows


def _default_row(desired: Menu, live: Live | None, changes: Sequence[Change]) -> Row:
    phones = [_desired_phone(desired.buttons, _marks(changes, removed=False), "")]
    if live is not None:
        notes = [
            *([_CONSOLE] if live.is_console_made else []),
            *([] if live.is_open else [_CLOSED]),
        ]
        shown = live.console or live.menu.buttons
        phones.insert(0, _live_phone(shown, changes, "；".join(notes)))
    return _row(None, phones, changes, compared=live is not None)


def _row(
    rule: Rule | None, phones: Iterable[Phone], changes: Iterable[Change], *, compared: bool
) -> Row:
    heading = "默认菜单 · Default menu" if rule is None else "个性化菜单 · Conditional menu"
    whom = "所有人 · everyone" if rule is None else audience(rule)
    return Row(heading, whom, tuple(phones), tuple(map(_sentence, changes)), compared)


def _live_phone(buttons: Sequence[Button], changes: Iterable[Change], note: str = "") -> Phone:
    marks = _marks(changes, removed=True)
    return Phone("线上 · Live", "live", _tiles(buttons, marks), note or _missing(buttons))


def _desired_phone(
    buttons: Sequence[Button], marks: Mapping[tuple[str, ...], tuple[Mark, ...]], note: str
) -> Phone:
    return Phone("期望 · Desired", "desired", _tiles(buttons, marks), note or _missing(buttons))


def _missing(buttons: Sequence[Button]) -> str:
    return "" if buttons else _NO_MENU


def _tiles(
    buttons: Sequence[Button],
    marks: Mapping[tuple[str, ...], tuple[Mark, ...]],
    above: tuple[str, ...] = (),
) -> tuple[Tile, ...]:
    shown = SUB.shown if above else TOP.shown
    return tuple(
        Tile(
            cut(button.name, shown),
            button.name,
            TYPES.get(button.type, button.type),
            button.fields,
            marks.get((*above, button.name), ()),
            _tiles(button.children, marks, (*above, button.name)),
        )
        for button in buttons
    )


def _of_menu(changes: Iterable[Change], menu: str) -> tuple[Change, ...]:
    return tuple(each for each in changes if each.menu == menu)


def _marks(changes: Iterable[Change], *, removed: bool) -> dict[tuple[str, ...], tuple[Mark, ...]]:
    """By path. Removed buttons are on the live phone alone, all other changes on the desired."""
    found: dict[tuple[str, ...], tuple[Mark, ...]] = {}
    for change in changes:
        if (change.kind is ChangeKind.REMOVED) is removed:
            found[change.path] = (*found.get(change.path, ()), _mark(change.kind))
    return found


def _mark(kind: ChangeKind) -> Mark:
    return Mark(kind.value, CHANGES[kind])


def _sentence(change: Change) -> Sentence:
    return Sentence(_mark(change.kind), " / ".join(change.path), change.before, change.after)
