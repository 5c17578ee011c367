"""PURE: the desired file as JSON Schema, for editors that complete and check while one types.

It is made of the same tables as the validation, which says more: bytes, domains, what menus share.
Pasted shapes and what is only taken with a warning aren't in it: an editor should lead to our own.
"""

from __future__ import annotations

import json
from typing import Any, Final

from menu_worker.assertions import AT_MOST, DEFAULT
from menu_worker.leaf_rules import APPID
from menu_worker.limits import (
    ID_BYTES,
    KEY_BYTES,
    PAGE_BYTES,
    PHONES,
    SUB,
    SUB_BUTTONS,
    TAG_DIGITS,
    TOP,
    TOP_BUTTONS,
    URL_BYTES,
)
from menu_worker.menu import FIELDS
from menu_worker.schema_words import DOES, NOTES

FILE_NAME: Final = "menu.schema.json"
"""Shipped beside this module; `menu-worker schema` prints the same."""

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_TAG: Final = {
    "description": "Number of a user tag (tags/get lists them).",
    "anyOf": [
        {"type": "string", "pattern": f"^[0-9]{{0,{TAG_DIGITS}}}$"},
        {"type": "integer", "minimum": 0, "exclusiveMaximum": 10**TAG_DIGITS},
    ],
}
_FIELD_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "key": {"type": "string", "minLength": 1, "maxLength": KEY_BYTES},
    "url": {
        "type": "string",
        "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#\\s]",
        "maxLength": URL_BYTES,
    },
    "appid": {"type": "string", "pattern": f"^{APPID.pattern}$"},
    "pagepath": {"type": "string", "pattern": "^[^/]", "maxLength": PAGE_BYTES},
    "media_id": {"type": "string", "minLength": 1, "maxLength": ID_BYTES},
    "article_id": {"type": "string", "minLength": 1, "maxLength": ID_BYTES},
}


def schema() -> dict[str, Any]:
    """The JSON Schema, draft 7: the one that editors know best."""
    return {
        "$schema": _DRAFT,
        "title": "Desired menu of a WeChat Official Account",
        "type": "object",
        "required": ["account", "button"],
        "additionalProperties": False,
        "properties": {
            "$schema": {"type": "string"},
            "account": {
                "description": "Name of the account in the token service.",
                "type": "string",
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            },
            "button": {"$ref": "#/definitions/menu"},
            "conditional": {
                "description": "Menus for some users, oldest first; of those that fit a user the "
                "last wins.",
                "type": "array",
                "items": {"$ref": "#/definitions/conditional"},
            },
            "assert": {
                "description": "Which user sees which menu; asked after every apply.",
                "type": "array",
                "maxItems": AT_MOST,
                "items": {"$ref": "#/definitions/assertion"},
            },
        },
        "definitions": {
            "menu": {
                "description": f"1 to {TOP_BUTTONS} buttons; none deletes the menu.",
                "type": "array",
                "maxItems": TOP_BUTTONS,
                "items": {"$ref": "#/definitions/top"},
            },
            "top": _top(),
            "sub": _leaf(SUB.name_bytes, nested=False),
            "leaf": _leaf(TOP.name_bytes, nested=True),
            "rule": _rule(),
            "conditional": {
                "type": "object",
                "required": ["matchrule", "button"],
                "additionalProperties": False,
                "properties": {
                    "matchrule": {"$ref": "#/definitions/rule"},
                    "button": {"allOf": [{"$ref": "#/definitions/menu"}, {"minItems": 1}]},
                    "menuid": {"description": "As menu/get shows it; not used."},
                },
            },
            "assertion": {
                "type": "object",
                "required": ["user", "sees"],
                "additionalProperties": False,
                "properties": {
                    "user": {"type": "string", "pattern": "^[A-Za-z0-9_-]{6,128}$"},
                    "sees": {"anyOf": [{"const": DEFAULT}, {"$ref": "#/definitions/rule"}]},
                },
            },
        },
    }


def schema_text() -> str:
    """As it is shipped."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _top() -> dict[str, Any]:
    parent = {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": _name(TOP.name_bytes),
            "sub_button": {
                "type": "array",
                "maxItems": SUB_BUTTONS,
                "items": {"$ref": "#/definitions/sub"},
            },
        },
    }
    has_children = {
        "required": ["sub_button"],
        "properties": {"sub_button": {"type": "array", "minItems": 1}},
    }
    return {"if": has_children, "then": parent, "else": {"$ref": "#/definitions/leaf"}}


def _leaf(name_bytes: int, *, nested: bool) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["name", "type"],
        "additionalProperties": False,
        "properties": {
            "name": _name(name_bytes),
            "type": {
                "description": "\n".join(f"{kind}: {DOES[kind]}" for kind in FIELDS),
                "enum": list(FIELDS),
            },
            # Fields of other types may stand there empty, as SDKs write them.
            **{name: {"description": note} for name, note in NOTES.items()},
            "sub_button": {"type": "array", "maxItems": 0}
            | ({"description": "1 to 5 buttons make this one open them."} if nested else {}),
        },
        "allOf": [_needs(kind, names) for kind, names in FIELDS.items()],
    }


def _needs(kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "if": {"required": ["type"], "properties": {"type": {"const": kind}}},
        "then": {
            "required": list(names),
            "properties": {name: _FIELD_SCHEMAS[name] for name in names},
        },
    }


def _name(at_most: int) -> dict[str, Any]:
    return {
        "description": f"At most {at_most} bytes; a Chinese character has 3.",
        "type": "string",
        "minLength": 1,
        "maxLength": at_most,
    }


def _rule() -> dict[str, Any]:
    return {
        "description": "Whom the menu is for; all that is given has to fit.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "tag_id": _TAG,
            "group_id": _TAG,
            "client_platform_type": {
                "description": "1 iOS, 2 Android, 3 others.",
                "enum": [*PHONES, *map(int, PHONES), ""],
            },
        },
    }
