"""PURE: one text field of a menu: there, a text, sendable, and not too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menu_worker.findings import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from menu_worker.findings import At, Finding

ESCAPED = 40033
"""WeChat's code for `\\uXXXX`: the only way to send such characters in JSON."""


def text_of(at: At) -> str | None:
    """The field as it will be sent; None when there is none, or what is there can't be sent."""
    value = at.value
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value) or None


def check_text(at: At, at_most: int, code: int, *, hint: str = "") -> Iterator[Finding]:
    """What is wrong with a text that must be there. `code` is WeChat's for its size."""
    name, value = at.path[-1], at.value
    if at.is_empty:
        state = "is empty" if value is not None else "is missing"
        yield at.error(f"`{name}` {state}{hint}", code)
        return
    if isinstance(value, int) and not isinstance(value, bool):
        yield at.warning(f'`{name}` is a number, taken as "{value}"; put it in quotes', code)
    elif not isinstance(value, str):
        advice = "" if isinstance(value, dict | list) else "; put it in quotes if it is meant so"
        yield at.error(f"`{name}` is a text, not {_kind(value)}{advice}", code)
        return
    yield from _check_signs(at, str(value))
    size = _bytes(str(value))
    if size > at_most:
        yield at.error(
            f"`{name}` has {size} bytes and may have {at_most} (a Chinese character has 3)", code
        )


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return shown(value)
    return f"the number {value}" if isinstance(value, float) else shown(value)


def _check_signs(at: At, text: str) -> Iterator[Finding]:
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        what = f"`{at.path[-1]}` has half of a surrogate pair; write the character itself"
        yield at.error(what, ESCAPED)
    control = next((sign for sign in text if sign < " " or "\x7f" <= sign <= "\x9f"), None)
    if control is not None:
        what = f"`{at.path[-1]}` has a control character (U+{ord(control):04X}); remove it"
        yield at.error(what, ESCAPED)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
