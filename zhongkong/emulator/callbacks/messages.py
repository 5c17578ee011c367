"""From what somebody wants to be pushed to the message with WeChat's own field names. Pure.

What the user did by it (wrote, tapped, followed …) is told here too, since credits follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from zhongkong.emulator.callbacks.course import PushCourse
from zhongkong.emulator.callbacks.samples import EVENTS, MESSAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.users import Interaction

DEFAULT_OPENID: Final = "oEmulatedUser000000000000001"
_WHAT: Final = ("text", "click", "view", "scan", "type", "event")
_TAPS: Final = frozenset({"CLICK", "scancode_push", "scancode_waitmsg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PushWish:
    """One message or event. At most one of text, click, view, scan, type and event.

    user    the openid; made if unknown. None: the account's first user
    text    a text message
    click   the key of a menu button; `view`: the address of one; `scan`: the scene of a QR code
    type    a MsgType, filled in as the samples have it
    event   an Event, likewise; `key` is its EventKey
    fields  WeChat's own names: they replace what the short form made, null takes away
    """

    user: str | None = None
    text: str | None = None
    click: str | None = None
    view: str | None = None
    scan: str | None = None
    type: str | None = None
    event: str | None = None
    key: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    course: PushCourse = field(default_factory=PushCourse)

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        said = [name for name in _WHAT if getattr(self, name) is not None]
        if len(said) > 1:
            raise ValueError(f"{' and '.join(said)}: one push is one message, say one of them")
        if not said and "MsgType" not in self.fields:
            raise ValueError(
                f"nothing to push: say one of {', '.join(_WHAT)}, or fields with a MsgType"
            )
        if self.user is not None and not 0 < len(self.user) <= 128:
            raise ValueError("user is an openid of 1 to 128 characters")
        if self.key is not None and self.event is None:
            raise ValueError("key goes with event")

    def numbered(self, number: int) -> PushWish:
        """The same with `{n}` in its texts replaced."""
        changes = {
            name: _numbered(getattr(self, name), number) for name in (*_WHAT, "key", "fields")
        }
        return replace(self, **changes)

    @property
    def has_number(self) -> bool:
        return any("{n}" in repr(getattr(self, name)) for name in (*_WHAT, "key", "fields"))


def compose(
    wish: PushWish, *, to_user: str, openid: str, create_time: int, msg_id: int
) -> dict[str, Any]:
    """The message as WeChat writes it, in its order."""
    fields: dict[str, Any] = {
        "ToUserName": to_user,
        "FromUserName": openid,
        "CreateTime": create_time,
        **_body(wish),
        **wish.fields,
    }
    if fields.get("MsgType") != "event":
        fields.setdefault("MsgId", msg_id)
    return {name: value for name, value in fields.items() if value is not None}


def interaction_of(fields: Mapping[str, Any], *, mini_program: bool) -> Interaction | None:
    """What the user did in the sense of the message credits (4.7b); None: nothing that counts."""
    if fields.get("MsgType") != "event":
        return "mini_program_message" if mini_program else "message"
    event = fields.get("Event")
    if event in _TAPS:
        return "menu_tap"
    if event == "subscribe":
        return "follow"
    if event == "SCAN":
        return "scan"
    if event == "user_enter_tempsession":
        return "mini_program_enter"
    return None


def _body(wish: PushWish) -> dict[str, Any]:
    if wish.text is not None:
        return {"MsgType": "text", "Content": wish.text}
    if wish.type is not None:
        return {"MsgType": wish.type, **MESSAGES.get(wish.type, {})}
    if wish.click is not None:
        return _event("CLICK", wish.click)
    if wish.view is not None:
        return _event("VIEW", wish.view)
    if wish.scan is not None:
        return _event("SCAN", wish.scan)
    if wish.event is not None:
        return _event(wish.event, wish.key)
    return {}


def _event(name: str, key: str | None) -> dict[str, Any]:
    sample = dict(EVENTS.get(name, {}))
    if key is not None:
        sample["EventKey"] = key
    return {"MsgType": "event", "Event": name, **sample}


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    if isinstance(value, dict):
        return {name: _numbered(each, number) for name, each in value.items()}
    if isinstance(value, list):
        return [_numbered(each, number) for each in value]
    return value
