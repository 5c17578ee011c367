"""Plans as people read them: button by button, with marks and, on a terminal, colours.

As JSON a plan is what it is in a plan file, with a summary.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from menu_worker.diff import DEFAULT
from menu_worker.result_words import SWITCHED_OFF, calls_text
from menu_worker.steps import ChangeKind, CreateDefault, DeleteAll
from menu_worker.writing import USERS_SEE_IT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from menu_worker.guards import Refused
    from menu_worker.menu import Live
    from menu_worker.steps import Change, Plan

CONSOLE: Final = "replaces the menu made in WeChat's console"
DELETES_ALL: Final = "deletes the live menu, the default one and every conditional one"
REORDERED: Final = "the conditional menus are made anew: their order decides who sees which"

_MARKS: Final = {
    ChangeKind.ADDED: ("+", "green"),
    ChangeKind.REMOVED: ("-", "red"),
    ChangeKind.RENAMED: ("~", "yellow"),
    ChangeKind.RETARGETED: ("~", "yellow"),
    ChangeKind.RETYPED: ("~", "yellow"),
    ChangeKind.MOVED: ("→", "cyan"),
}
_COUNTED: Final = (
    ("added", (ChangeKind.ADDED,)),
    ("removed", (ChangeKind.REMOVED,)),
    ("changed", (ChangeKind.RENAMED, ChangeKind.RETARGETED, ChangeKind.RETYPED)),
    ("moved", (ChangeKind.MOVED,)),
)


def rendered(plan: Plan, live: Live | None = None, refused: Refused | None = None) -> list[Text]:
    """The plan of one account, line by line. `refused`: why an apply would not carry it out."""
    lines = [Text(plan.account, style="bold")]
    if plan.is_empty:
        lines.append(Text("  no change"))
    else:
        lines += [Text(f"  {note}", style="yellow") for note in _notes(plan)]
        lines += _changes(plan.changes)
        lines.append(Text(f"  {counts_text(plan.changes)}; calls: {calls_text(plan.steps)}"))
        lines.append(Text(f"  {USERS_SEE_IT}", style="dim"))
    if live is not None:
        lines += [Text(f"  {note}", style="yellow") for note in _about(live)]
    if refused is not None:
        lines.append(Text(f"  apply would refuse: {refused.detail}", style="red"))
    return lines


def counts_text(changes: Iterable[Change]) -> str:
    """`1 added, 2 changed`."""
    by_kind = Counter(change.kind for change in changes)
    told = [(name, sum(by_kind[kind] for kind in kinds)) for name, kinds in _COUNTED]
    return ", ".join(f"{count} {name}" for name, count in told if count) or "no button changed"


def document(plan: Plan, live: Live, refused: Refused | None) -> dict[str, Any]:
    """For `--json`: the plan file's content for the account, and what is shown beside it."""
    return {
        **plan.document(),
        "empty": plan.is_empty,
        "replaces_console_menu": plan.replaces_console_menu,
        "switched_off": _is_switched_off(live),
        "ignored_fields": list(live.ignored),
        "refused": None
        if refused is None
        else {"guard": refused.guard.value, "detail": refused.detail},
    }


def _notes(plan: Plan) -> Iterator[str]:
    if plan.replaces_console_menu:
        yield CONSOLE
    if any(isinstance(step, DeleteAll) for step in plan.steps):
        yield DELETES_ALL
    elif not plan.changes and not any(isinstance(step, CreateDefault) for step in plan.steps):
        yield REORDERED


def _about(live: Live) -> Iterator[str]:
    if _is_switched_off(live):
        yield SWITCHED_OFF
    if live.ignored:
        names = ", ".join(map(_harmless, live.ignored))
        yield f"WeChat shows fields that are not compared: {names}"


def _is_switched_off(live: Live) -> bool:
    """Where there is no menu, none is switched off."""
    return not live.is_open and (live.is_console_made or not live.menu.is_empty)


def _changes(changes: Iterable[Change]) -> Iterator[Text]:
    menu = None
    for change in changes:
        if change.menu != menu:
            menu = change.menu
            named = "default menu" if menu == DEFAULT else f"conditional menu for {menu}"
            yield Text(f"  {_harmless(named)}", style="bold")
        mark, colour = _MARKS[change.kind]
        yield Text(f"    {mark} {_harmless(_told(change))}", style=colour)


def _told(change: Change) -> str:
    path = " / ".join(change.path)
    before, after = change.before or "nothing", change.after or "nothing"
    match change.kind:
        case ChangeKind.ADDED:
            return f"{path}  {change.after}".rstrip()
        case ChangeKind.REMOVED:
            return f"{path}  {change.before}".rstrip()
        case ChangeKind.RENAMED:
            return f"{path}  was called {before}"
        case ChangeKind.RETARGETED:
            return f"{path}  {before} → {after}"
        case ChangeKind.RETYPED:
            return f"{path}  {before} → {after}"
        case ChangeKind.MOVED:
            return f"{path}  from {before} to {after}"


def _harmless(text: str) -> str:
    """Nothing that would steer the terminal; what holds emoji together stays."""
    return "".join(
        sign if sign.isprintable() or sign in "\u200d\ufe0f" else ascii(sign)[1:-1] for sign in text
    )
