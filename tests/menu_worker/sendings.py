"""What the emulated WeChat says of a menu, sent raw or as the worker would send it."""

from __future__ import annotations

from typing import Any

import orjson

from menu_worker.menu import Menu
from tests.emulator.menu_samples import CLICK, Shop
from tests.emulator.platforms import code_of


def create_code(document: object, shop: Shop | None = None) -> int:
    """Of the document as it is, without what only our files have."""
    sent = document
    if isinstance(document, dict):
        sent = {name: value for name, value in document.items() if name != "account"}
    return code_of((shop or Shop()).post("create", orjson.dumps(sent)))


def add_code(conditional: object, *, default: bool = True) -> int:
    """Of one conditional menu as it is, with a default menu there before or not."""
    shop = Shop()
    if default:
        assert shop.create(CLICK) == 0
    return code_of(shop.post("addconditional", orjson.dumps(conditional)))


def codes_of_sending(menu: Menu, shop: Shop | None = None) -> list[int]:
    """Of all calls that make this menu, in the worker's order."""
    shop = shop or Shop()
    document: dict[str, Any] = menu.document()
    added = document.get("conditional", ())
    return [
        shop.create(*document["button"]),
        *(code_of(shop.post("addconditional", orjson.dumps(each))) for each in added),
    ]
