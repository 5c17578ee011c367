"""PURE: two menus button by button, in the words of people: renamed, moved, retargeted.

Buttons have no ids. They are matched by what they do and what they are called: first both, then
one of them. What is left over was added or removed.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from menu_worker.steps import Change, ChangeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from menu_worker.menu import Button, Conditional, Menu

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class _Node:
    """A button in its place. `parent` is the index of its parent's node, -1 at the top."""

    button: Button
    path: tuple[str, ...]
    index: int
    parent: int


def diff(live: Menu, desired: Menu) -> tuple[Change, ...]:
    """All differences: those of the default menu, then of each conditional one."""
    changes = list(_diff_buttons(DEFAULT, live.buttons, desired.buttons))
    before, after = _by_rule(live.conditional), _by_rule(desired.conditional)
    for rule in before | after:
        changes += _diff_buttons(rule, before.get(rule, ()), after.get(rule, ()))
    return tuple(changes)


def _by_rule(menus: Sequence[Conditional]) -> dict[str, tuple[Button, ...]]:
    # Of several with one rule only the newest is ever seen.
    return {str(each.rule): each.buttons for each in menus}


def _diff_buttons(menu: str, before: Sequence[Button], after: Sequence[Button]) -> Iterator[Change]:
    old, new = _flatten(before), _flatten(after)
    pairs = _match(old, new)
    kept = {b: a for a, b in pairs.items()}
    for position, node in enumerate(old):
        if position not in pairs:
            yield Change(ChangeKind.REMOVED, menu, node.path, before=_target(node.button))
    moved = _moved(old, new, pairs)
    for position, node in enumerate(new):
        if position not in kept:
            yield Change(ChangeKind.ADDED, menu, node.path, after=_target(node.button))
        else:
            was = old[kept[position]]
            yield from _changes_of(menu, was, node, moved=position in moved)


def _changes_of(menu: str, was: _Node, now: _Node, *, moved: bool) -> Iterator[Change]:
    if was.button.name != now.button.name:
        yield Change(ChangeKind.RENAMED, menu, now.path, was.button.name, now.button.name)
    if was.button.type != now.button.type or was.button.is_parent != now.button.is_parent:
        yield Change(ChangeKind.RETYPED, menu, now.path, _kind(was.button), _kind(now.button))
    if was.button.fields != now.button.fields:
        yield Change(
            ChangeKind.RETARGETED, menu, now.path, _target(was.button), _target(now.button)
        )
    if moved:
        yield Change(ChangeKind.MOVED, menu, now.path, _place(was), _place(now))


def _flatten(buttons: Sequence[Button]) -> list[_Node]:
    nodes: list[_Node] = []
    for index, button in enumerate(buttons):
        place = len(nodes)
        nodes.append(_Node(button, (button.name,), index, -1))
        nodes += [
            _Node(child, (button.name, child.name), number, place)
            for number, child in enumerate(button.children)
        ]
    return nodes


def _match(old: Sequence[_Node], new: Sequence[_Node]) -> dict[int, int]:
    """Old position → new position, by ever weaker likeness."""
    likenesses: tuple[Callable[[_Node], Hashable | None], ...] = (
        lambda node: (node.path, *_content(node.button)),
        lambda node: (node.button.name, *_content(node.button)),
        lambda node: _content(node.button),
        lambda node: (node.path, node.button.is_parent),
        lambda node: ("parent", node.index) if node.button.is_parent else None,
        lambda node: node.path,
    )
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for likeness in likenesses:
        free: dict[Hashable, list[int]] = {}
        for position, node in enumerate(new):
            key = None if position in taken else likeness(node)
            if key is not None:
                free.setdefault(key, []).append(position)
        for position, node in enumerate(old):
            key = None if position in pairs else likeness(node)
            if key is not None and free.get(key):
                pairs[position] = free[key].pop(0)
                taken.add(pairs[position])
    return pairs


def _content(button: Button) -> tuple[Hashable, ...]:
    """What a button does; a parent does what its children do."""
    if button.is_parent:
        return ("parent", tuple(sorted(map(repr, map(_content, button.children)))))
    return (button.type, button.fields)


def _moved(old: Sequence[_Node], new: Sequence[_Node], pairs: dict[int, int]) -> set[int]:
    """New positions of what changed its place among those that stayed together."""
    moved: set[int] = set()
    families: dict[int, list[tuple[int, int]]] = {}
    for was, now in sorted(pairs.items(), key=lambda pair: pair[1]):
        home = old[was].parent
        if (pairs.get(home, -2) if home >= 0 else -1) != new[now].parent:
            moved.add(now)
        else:
            families.setdefault(new[now].parent, []).append((was, now))
    for family in families.values():
        staying = _longest_rising([was for was, _ in family])
        moved |= {now for was, now in family if was not in staying}
    return moved


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The members of a longest rising subsequence: the fewest others have to move."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        place = bisect_left(tails, number)
        before[number] = tails[place - 1] if place else None
        tails[place : place + 1] = [number]
    found: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def _kind(button: Button) -> str:
    return "sub-menu" if button.is_parent else button.type


def _target(button: Button) -> str:
    return " ".join(value for _, value in button.fields)


def _place(node: _Node) -> str:
    return "/".join((*node.path[:-1], str(node.index + 1)))
