"""PURE: a live menu as the text of a desired file.

What no call can create (leaves made in the web console, withdrawn conditions) stands there as a
comment that says what to do instead. A file in which nothing is left is refused until it is edited.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from menu_worker.menu import CONSOLE_TYPES, FIELDS, WITHDRAWN_RULE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from menu_worker.menu import Button, Conditional, Live

_HEAD: Final = (
    "# yaml-language-server: $schema=menu.schema.json  (menu-worker schema > menu.schema.json)"
)
_PLAIN: Final = re.compile(
    r"(?!(?:null|true|false|yes|no|on|off|y|n)\Z)[a-z][a-z0-9_-]*", re.IGNORECASE
)
_JOINERS: Final = frozenset("\u200d\ufe0f")
"""Invisible, and what holds emoji together."""

_UPLOAD: Final = "upload it as permanent material (material/add_material), then write"


def to_file_text(live: Live, account: str) -> str:
    """YAML that loads as the live menu, as far as calls can create it."""
    buttons = live.console if live.is_console_made else live.menu.buttons
    lines = [_HEAD, f"account: {_scalar(account)}", "button:"]
    if live.is_console_made:
        lines.insert(
            1, "# Made in WeChat's web console. Applying this file replaces it as a whole."
        )
    if not buttons:
        lines.append("  # There is no live menu. Write the buttons here.")
    lines += _indented(_buttons(buttons))
    if not any(_is_creatable(each) for each in buttons) and buttons:
        lines.append("  # Nothing of it can be created as it is: write at least one button.")
    lines += _conditionals(live.menu.conditional)
    return "\n".join(lines) + "\n"


def _buttons(buttons: Iterable[Button]) -> Iterator[str]:
    for button in buttons:
        if not button.is_parent:
            yield from _leaf(button)
        elif _is_creatable(button):
            yield f"- name: {_quoted(button.name)}"
            yield "  sub_button:"
            yield from _indented(_buttons(button.children), by=4)
        else:
            yield f"# - name: {_quoted(button.name)}"
            yield "#   sub_button:"
            yield from _indented(_buttons(button.children), by=4)


def _leaf(button: Button) -> Iterator[str]:
    if button.type in CONSOLE_TYPES:
        yield from _comment(_instead(button))
    elif button.type not in FIELDS:
        shown = f"{_quoted(button.name)} has the type {_quoted(button.type)}"
        yield from _comment([f"{shown}, which isn't known here; it is left out."])
    else:
        yield f"- {_flow({'type': button.type, 'name': button.name, **dict(button.fields)})}"


def _instead(button: Button) -> list[str]:
    name, kind = button.name, button.type
    said = f"{_quoted(name)} is {kind} of the web console, which no call can create. Instead,"
    if kind == "text":
        reply = _flow({"type": "text", "content": dict(button.fields).get("value", "")})
        return [
            f"{said} write",
            f"- {_flow({'type': 'click', 'name': name, 'key': 'A_KEY'})}",
            "and in the gateway's routes",
            f"- {{match: {{type: event, event: CLICK, key: A_KEY}}, reply: {reply}}}",
        ]
    if kind == "news":
        article = _flow({"type": "article_id", "name": name, "article_id": "ITS_ID"})
        return [f"{said} publish the article, then write", f"- {article}"]
    material = _flow({"type": "media_id", "name": name, "media_id": "ITS_ID"})
    return [f"{said} {_UPLOAD}", f"- {material}"]


def _conditionals(menus: Sequence[Conditional]) -> Iterator[str]:
    if not menus:
        return
    usable = any(_is_usable(each) for each in menus)
    yield "conditional:" if usable else "# conditional:"
    for each in menus:
        body = [
            f"- matchrule: {_flow(each.rule.document())}",
            "  button:",
            *_indented(_buttons(each.buttons), by=4),
        ]
        if _is_usable(each):
            yield from _indented(body)
        else:
            why = "This menu can't be created as it is: its rule has a condition that WeChat has"
            yield from _indented(
                _comment([why, "withdrawn (nobody sees it), or no button is left."])
            )
            yield from _indented(_comment(body))


def _is_usable(menu: Conditional) -> bool:
    withdrawn = any(name in WITHDRAWN_RULE_FIELDS for name, _ in menu.rule.fields)
    return not withdrawn and any(_is_creatable(each) for each in menu.buttons)


def _is_creatable(button: Button) -> bool:
    if button.is_parent:
        return any(_is_creatable(each) for each in button.children)
    return button.type in FIELDS


def _comment(lines: Iterable[str]) -> list[str]:
    return [f"# {line}" for line in lines]


def _indented(lines: Iterable[str], by: int = 2) -> list[str]:
    return [" " * by + line for line in lines]


def _flow(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_scalar(k)}: {_scalar_of(k, v)}" for k, v in fields.items()) + "}"


def _scalar_of(name: str, value: str) -> str:
    return _scalar(value) if name == "type" else _quoted(value)


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_sign, text)) + '"'


def _sign(sign: str) -> str:
    if sign in {'"', "\\"}:
        return f"\\{sign}"
    if sign.isprintable() or sign in _JOINERS:
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"
