"""PURE: the shapes in which people have menus, and what in them is the menu.

A menu may be pasted as menu/create takes it, as menu/get or get_current_selfmenu_info shows it, or
as the bare list that some SDKs take. Nothing inside a button is looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from menu_worker.findings import At, did_you_mean, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from menu_worker.findings import Finding

OWN: Final = ("account", "button", "conditional", "assert")
_ANSWERS: Final = frozenset({"errcode", "errmsg", "is_menu_open", "menuid", "$schema"})
"""They come along when an answer of WeChat's is pasted, or tell editors the schema."""

_WRAPPERS: Final = ("menu", "selfmenu_info")
_KNOWN: Final = frozenset({*OWN, *_ANSWERS, *_WRAPPERS, "conditionalmenu", "matchrule"})


@dataclass(slots=True)
class Shape:
    """The default menu's buttons, and the conditional menus in order of creation."""

    buttons: At
    conditional: list[At] = field(default_factory=list)
    shows_lists: bool = False
    """Taken from get_current_selfmenu_info: sub-buttons stand in `sub_button.list` there."""
    findings: list[Finding] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """In our own shape."""
        return {
            "button": self.buttons.value,
            "conditional": [each.value for each in self.conditional],
        }


def take_apart(root: At) -> Shape | None:
    """Find the menus in a document; None with nothing in it that could be one."""
    if isinstance(root.value, list):
        note = "taken as the list under `button`; write `button:` above it"
        return Shape(root, findings=[root.warning(note, 47001)])
    if not isinstance(root.value, dict):
        return None
    shape = _default(root)
    shape.conditional = list(_conditional(root, shape))
    shape.findings += _oddities(root)
    return shape


def _default(root: At) -> Shape:
    wrappers = [root.get(name) for name in _WRAPPERS if root.has(name)]
    if not wrappers:
        return Shape(root.get("button"))
    wrapper = wrappers[0]
    if len(wrappers) > 1 or root.has("button"):
        names = " and ".join(f"`{name}`" for name in ("button", *_WRAPPERS) if root.has(name))
        clash = wrapper.error(f"{names} are two menus in one file; keep one", 40016)
        kept = root.get("button") if root.has("button") else _inner(wrapper)
        return Shape(kept, findings=[clash])
    listed = wrapper.path == ("selfmenu_info",)
    answer = "get_current_selfmenu_info" if listed else "menu/get"
    note = wrapper.warning(
        f"taken as what {answer} shows; menu/create refuses this wrapping, the worker takes it off",
        40016,
    )
    return Shape(_inner(wrapper), shows_lists=listed, findings=[note])


def _inner(wrapper: At) -> At:
    return wrapper if isinstance(wrapper.value, list) else wrapper.get("button")


def _conditional(root: At, shape: Shape) -> Iterator[At]:
    ours, theirs = root.get("conditional"), root.get("conditionalmenu")
    for each in (ours, theirs):
        if each.value is not None and not isinstance(each.value, list):
            what = f"`{each.path[-1]}` is a list of menus, not {shown(each.value)}"
            shape.findings.append(each.error(what, 40016))
    if ours.value and theirs.value:
        what = "`conditional` and `conditionalmenu` are both given; keep one"
        shape.findings.append(theirs.error(what))
    elif theirs.value:
        what = "taken as menu/get shows it, newest first; in `conditional` the newest stands last"
        shape.findings.append(theirs.warning(what))
        return iter(list(theirs.items())[::-1])
    return ours.items()


def _oddities(root: At) -> Iterator[Finding]:
    if root.get("matchrule").value:
        yield root.get("matchrule").error(
            "this is one conditional menu, as addconditional takes it; put it under "
            "`conditional`, beside a default menu in `button`",
            65303,
        )
    for name in root.value:
        if name in _KNOWN:
            continue
        what = f"`{shown(name)[1:-1]}` is unknown here{did_you_mean(name, OWN)}"
        if nearest(name, OWN) is None:
            yield root.get(name).warning(f"{what}, and left out")
        else:
            # Left out, a misspelt `conditional` would delete every conditional menu.
            yield root.get(name).error(what)
