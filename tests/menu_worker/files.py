"""Desired files on disk, and what loading says of them."""

from __future__ import annotations

from pathlib import Path

import orjson

from menu_worker.desired import Desired, DesiredRefused, load_file
from menu_worker.findings import Level, Violation
from menu_worker.menu import Menu

CLICK = {"type": "click", "name": "买入", "key": "BUY_IN"}
VIEW = {"type": "view", "name": "收益", "url": "http://www.example.com/a?b=1&c=2"}
MINI_PROGRAM = {
    "type": "miniprogram",
    "name": "小程序",
    "url": "https://example.com",
    "appid": "wx" + "f" * 16,
    "pagepath": "pages/index",
}


def parent(*subs: object) -> dict[str, object]:
    return {"name": "更多", "sub_button": list(subs)}


def written(folder: Path, content: str | bytes | object, name: str = "shop.yaml") -> Path:
    """A file with this text, these bytes, or this document as JSON."""
    path = folder / name
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    else:
        path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


def loaded(folder: Path, content: str | bytes | object, name: str = "shop.yaml") -> Desired:
    return load_file(written(folder, content, name), default_account="shop")


def refusal(
    folder: Path, content: str | bytes | object, name: str = "shop.yaml"
) -> tuple[Violation, ...]:
    """The errors of a file that must not load."""
    try:
        desired = loaded(folder, content, name)
    except DesiredRefused as refused:
        return tuple(each for each in refused.violations if each.level is Level.ERROR)
    raise AssertionError(f"taken as {desired}")


def the_refusal(
    folder: Path, content: str | bytes | object, name: str = "shop.yaml"
) -> tuple[int, int, str]:
    """Line, column and message of the only error."""
    (only,) = refusal(folder, content, name)
    return only.line, only.column, only.message


def menu_of(folder: Path, content: str | bytes | object, name: str = "shop.yaml") -> Menu:
    return loaded(folder, content, name).menu
