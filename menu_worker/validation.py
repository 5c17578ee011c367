"""PURE: everything that is wrong with a desired document, at once.

WeChat stops at the first fault and gives a number; here each fault has its place, what would be
right, and that number. What the document holds beside the menu (`account`) is desired's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from menu_worker.account_hints import account_hints
from menu_worker.assertions import assertions_of, check_assertions
from menu_worker.audience_rules import check_conditional, check_together, rule_fields
from menu_worker.button_rules import NO_BUTTONS, NO_OBJECT, check_buttons, leaves
from menu_worker.findings import At, Level, shown
from menu_worker.menu import EVENT_TYPES, NO_MENU, Menu, Rule
from menu_worker.normal_form import of_desired
from menu_worker.published_shapes import Shape, take_apart
from menu_worker.texts import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from menu_worker.assertions import Assertion
    from menu_worker.findings import Finding, KeyPath

EMPTY_BODY: Final = 44002
AT_MOST: Final = 1000
"""Findings of one file; whoever has more has another problem."""


@dataclass(frozen=True, slots=True)
class Validated:
    """What was found, and what the document says. `menu` means something without errors alone."""

    findings: tuple[Finding, ...]
    menu: Menu = NO_MENU
    assertions: tuple[Assertion, ...] = ()
    keys: tuple[KeyUse, ...] = ()

    @property
    def is_usable(self) -> bool:
        return all(each.level is not Level.ERROR for each in self.findings)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A button that pushes an event with this key, and where the key stands."""

    type: str
    key: str
    path: KeyPath


def validate(document: Any) -> Validated:
    """Judge a document in any shape in which menus are published."""
    root = At(document)
    shape = take_apart(root)
    if shape is None:
        return Validated((_no_document(root),))
    findings = tuple(islice(_findings(root, shape), AT_MOST))
    if any(each.level is Level.ERROR for each in findings):
        return Validated(findings)
    asserted = assertions_of(root.get("assert"))
    return Validated(findings, of_desired(shape.document()), asserted, tuple(_key_uses(shape)))


def _no_document(root: At) -> Finding:
    if root.value is None:
        return root.error("the file is empty; nothing is changed or deleted for it", EMPTY_BODY)
    return root.error(f"the file holds no menu, but {shown(root.value)}", NO_OBJECT)


def _findings(root: At, shape: Shape) -> Iterator[Finding]:
    yield from shape.findings
    if shape.buttons.value != []:
        yield from check_buttons(shape.buttons, shows_lists=shape.shows_lists)
    elif not shape.conditional:
        what = "the desired menu is empty: the live one is deleted where `allow_delete` is set"
        yield shape.buttons.warning(what, NO_BUTTONS)
    for each in shape.conditional:
        yield from check_conditional(each)
    yield from check_together(shape.conditional, shape.buttons)
    yield from check_assertions(root.get("assert"), _rules(shape))
    yield from account_hints([*_menus(shape)], shape.conditional)


def _menus(shape: Shape) -> Iterator[At]:
    return chain([shape.buttons], (each.get("button") for each in shape.conditional))


def _rules(shape: Shape) -> set[Rule]:
    return {Rule(rule_fields(each.get("matchrule"))) for each in shape.conditional}


def _key_uses(shape: Shape) -> Iterator[KeyUse]:
    for buttons in _menus(shape):
        for leaf in leaves(buttons):
            kind, key = (text_of(leaf.get("type")) or "").lower(), leaf.get("key")
            text = text_of(key)
            if kind in EVENT_TYPES and text is not None:
                yield KeyUse(kind, text, key.path)
