"""PURE: what a target's answer says: `{"reply": {...}}`, or that there is nothing to reply.

What a reply may be is decided in zhongkong.wechat.passive_reply.
"""

from __future__ import annotations

import orjson

from zhongkong.wechat.passive_reply import ReplyRefused, check_fit, read_reply

NOTHING = b""
"""The stored form of "no reply": an empty body or `{}`."""


class InvalidReply(ValueError):
    """No reply that WeChat could be given. `path` names the place, and holds no content."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def stored_reply(body: bytes, answering: str) -> bytes:
    """The canonical JSON of the reply in a target's body, or NOTHING. Raises InvalidReply.

    `answering` is the message type that is answered: `text`, `event` …
    """
    if not body.strip():
        return NOTHING
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidReply("(no JSON)") from None
    if not isinstance(said, dict):
        raise InvalidReply("(no object)")
    if not said:
        return NOTHING
    if said.keys() != {"reply"}:
        # A misspelt "reply" would otherwise be silence, and the reason be hard to find.
        raise InvalidReply("(not `reply` alone)")
    try:
        check_fit(read_reply(said["reply"]), answering)
    except ReplyRefused as refused:
        raise InvalidReply(f"reply.{refused.path}" if refused.path else "reply") from None
    return orjson.dumps(said["reply"], option=orjson.OPT_SORT_KEYS)


def answering_of(document: bytes) -> str:
    """Which message type an event's document tells of, as `check_fit` wants it."""
    _, kind, name = str(orjson.loads(document)["type"]).split(".", 2)
    return name if kind == "message" else kind
