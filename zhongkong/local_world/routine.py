"""PURE: lines of parts that aren't shown, since they tell nobody anything.

Every few seconds the menu worker looks at the live menu through the token service: three parts do
as they always do, and the menu worker tells when anything came of it. And what a part remarks on
settings that the world has just written itself is no news to who didn't write them.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from zhongkong.local_world import names
from zhongkong.local_world.log_lines import fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_CALL: Final = "call_proxied"
_ANSWER: Final = "request_answered"
_NOTICE: Final = "config_notice"
_EVENTS: Final = tuple(event.encode() for event in (_CALL, _ANSWER, _NOTICE))


def is_routine(line: bytes, *, own_settings: bool) -> bool:
    """Whether this line of a part needn't be shown.

    `own_settings`: whether the settings are still those that the world has written. What a fault of
    the emulator struck is shown all the same: somebody wants to see it strike.
    """
    if not any(event in line for event in _EVENTS):
        return False
    fields = fields_of(line) or {}
    event = fields.get("event")
    if event == _CALL:
        return fields.get("client") == names.MENUS_CLIENT
    if event == _ANSWER:
        return _is_menu_call(fields)
    return event == _NOTICE and own_settings


def _is_menu_call(fields: Mapping[str, Any]) -> bool:
    path = str(fields.get("path"))
    return not fields.get("struck_by") and any(
        fnmatchcase(path, pattern) for pattern in names.MENU_PATHS
    )
