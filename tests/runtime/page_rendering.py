"""Pages of the services without a listener, and what must hold of all of them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from zhongkong.runtime.pages.rendering import Renderer
from zhongkong.runtime.pages.visits import Brand
from zhongkong.runtime.pages.words import COMMON, Words

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}&amp;\u202e"


def words_of(brand: Brand, language: str = "en") -> Words:
    return Words(language, brand.table)


def rendered(
    brand: Brand,
    template: str,
    values: Mapping[str, Any],
    *,
    language: str = "en",
    may_act: bool = True,
) -> str:
    common = {
        "t": words_of(brand, language),
        "title": "title",
        "may_act": may_act,
        "knows_key": may_act,
        "has_key": True,
        "csrf": "c5rf" if may_act else "",
        "languages": ("en", "zh"),
        "news": None,
        "fragment": "",
    }
    return Renderer(brand.package).page(template, {**common, **values})


def is_harmless(text: str) -> bool:
    """Whether nothing of HOSTILE became an element or an attribute."""
    return not re.search(r"<script>|<img|onerror=[^&]*>|49&amp;amp;", text.replace("&gt;", "&"))


def hostile(document: Any, keep: frozenset[str]) -> Any:
    """The document with every text replaced but those under the keys to keep."""
    if isinstance(document, dict):
        return {
            key: value if key in keep else hostile(value, keep) for key, value in document.items()
        }
    if isinstance(document, list | tuple):
        return [hostile(each, keep) for each in document]
    return HOSTILE if isinstance(document, str) else document


def missing_words(brand: Brand) -> set[str]:
    """Keys that a template of the brand's package names and no table has."""
    known = {*brand.table, *COMMON}
    used: set[str] = set()
    for file in files(brand.package).iterdir():
        if file.name.endswith(".html.j2") and file.name != "preview.html.j2":
            used.update(re.findall(r"""\bt\(["']([^"']+)["']""", file.read_text("utf-8")))
    return used - known


def uneven_words(brand: Brand) -> set[str]:
    """Keys whose two languages don't hold the same values, or one of which is missing."""

    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    return {
        key
        for key, (english, chinese) in brand.table.items()
        if not english or not chinese or fields(english) != fields(chinese)
    }
