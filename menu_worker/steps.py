"""PURE: what an apply consists of: writes to WeChat as plain values, in the order in which they go.

Which steps lead from live to desired is decided in plan; how they are carried out, in reconciler.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from menu_worker.menu import Button, Conditional, Menu


@dataclass(frozen=True, slots=True)
class CreateDefault:
    """Replace the default menu as a whole; conditional ones stay."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class AddConditional:
    """Add a conditional menu; it is then the newest. Not repeatable: it would be there twice."""

    conditional: Conditional


@dataclass(frozen=True, slots=True)
class DeleteConditional:
    """Delete one conditional menu by its id; deleting it again does no harm."""

    menuid: str
    conditional: Conditional


@dataclass(frozen=True, slots=True)
class DeleteAll:
    """Delete the default menu and every conditional one. Only where `allow_delete` is set."""


Step = CreateDefault | AddConditional | DeleteConditional | DeleteAll


class ConditionalStrategy(StrEnum):
    """How conditional menus are replaced."""

    ADD_FIRST = "add_first"
    """All new ones in order, then the stale ones deleted: nobody is without a menu in between."""
    DELETE_FIRST = "delete_first"
    """Where WeChat refuses two menus with one rule, or one more than its limit for a moment."""


class ChangeKind(StrEnum):
    """What happened to a button, as people say it."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    RENAMED = "renamed"
    RETARGETED = "retargeted"
    RETYPED = "retyped"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between live and desired.

    `menu` is "default" or the rule of a conditional menu; `path` leads to the button in the menu
    that has it (desired for all but REMOVED), as names from the top; `before` and `after` are what
    changed: names, targets or positions.
    """

    kind: ChangeKind
    menu: str
    path: tuple[str, ...]
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply would do to one account, bound to the live state it was made for."""

    account: str
    live_fingerprint: str
    desired: Menu
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    replaces_console_menu: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing to write."""
        return not self.steps

    @property
    def desired_fingerprint(self) -> str:
        return self.desired.fingerprint

    def document(self) -> dict[str, Any]:
        """The plan file's content for this account."""
        return {
            "account": self.account,
            "live": self.live_fingerprint,
            "desired": self.desired_fingerprint,
            "menu": self.desired.document(),
            "steps": [step_document(step) for step in self.steps],
            "changes": [
                {
                    "kind": change.kind.value,
                    "menu": change.menu,
                    "path": list(change.path),
                    "before": change.before,
                    "after": change.after,
                }
                for change in self.changes
            ],
        }


def step_document(step: Step) -> dict[str, Any]:
    """One step as JSON."""
    match step:
        case CreateDefault():
            return {"step": "create", "button": [each.document() for each in step.buttons]}
        case AddConditional():
            return {"step": "addconditional", **step.conditional.document()}
        case DeleteConditional():
            return {"step": "delconditional", "menuid": step.menuid}
        case DeleteAll():
            return {"step": "delete"}
