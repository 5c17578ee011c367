"""What is remembered of pushes and their tries: plain records, no rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.callbacks.course import PushCourse
    from zhongkong.emulator.callbacks.letters import Letter

Outcome = Literal["under_way", "answered", "failed", "stopped"]
Seen = Literal["reply", "nothing", "banner"]


class AnswerKind(StrEnum):
    """What a try earned. The first four are what WeChat is content with (P9)."""

    SUCCESS = "success"
    EMPTY = "empty"
    REPLY = "reply"
    ENCRYPTED_REPLY = "encrypted_reply"

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    LATE = "late"
    STATUS = "status"

    MALFORMED = "malformed"
    NOT_ENCRYPTED = "not_encrypted"
    BAD_SIGNATURE = "bad_signature"
    BAD_ENVELOPE = "bad_envelope"
    BAD_NAMES = "bad_names"
    BAD_REPLY = "bad_reply"
    TOO_LARGE = "too_large"

    STOPPED = "stopped"


GOOD: Final = frozenset(
    {AnswerKind.SUCCESS, AnswerKind.EMPTY, AnswerKind.REPLY, AnswerKind.ENCRYPTED_REPLY}
)
_BY_ERROR: Final = frozenset({AnswerKind.CONNECTION, AnswerKind.STATUS})
_MALFORMED: Final = frozenset(
    {
        AnswerKind.MALFORMED,
        AnswerKind.NOT_ENCRYPTED,
        AnswerKind.BAD_SIGNATURE,
        AnswerKind.BAD_ENVELOPE,
        AnswerKind.BAD_NAMES,
        AnswerKind.BAD_REPLY,
        AnswerKind.TOO_LARGE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes two deliveries the same message (4.7), as its fields say. Ids are texts."""

    to_user: str
    from_user: str
    create_time: int | None
    msg_type: str
    msg_id: str | None = None
    event: str | None = None
    event_key: str | None = None
    menu_id: str | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Identity:
        created = fields.get("CreateTime")
        return cls(
            to_user=str(fields.get("ToUserName", "")),
            from_user=str(fields.get("FromUserName", "")),
            create_time=created if isinstance(created, int) else None,
            msg_type=str(fields.get("MsgType", "")),
            msg_id=_text(fields.get("MsgId", fields.get("MsgID"))),
            event=_text(fields.get("Event")),
            event_key=_text(fields.get("EventKey")),
            menu_id=_text(fields.get("MenuId")),
        )


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One request to the account's server. `answer` is None while it is under way.

    began and ended are monotonic; `repeat` marks a duplicate of what had been answered well.
    """

    seq: int
    at: float
    push: str
    appid: str
    identity: Identity
    number: int
    body_sha256: str
    body_bytes: int
    began: float
    repeat: bool = False
    attack: str | None = None
    ended: float | None = None
    status: int | None = None
    answer: AnswerKind | None = None
    problem: str | None = None
    took_s: float | None = None
    seen: Seen | None = None

    @property
    def ok(self) -> bool:
        return self.answer in GOOD

    @property
    def by_error(self) -> bool:
        return self.answer in _BY_ERROR

    @property
    def malformed(self) -> bool:
        return self.answer in _MALFORMED


@dataclass(slots=True, kw_only=True)
class PushRecord:
    """One push. `fields`, `query` and `message` are dropped where nobody will ask for them.

    accepted monotonic, when it was asked for
    query    of the first try, for replays; in a replay the one that is used again
    message  the body before encryption, while the push is under way
    letter   the first try's, while identical bytes may be needed again
    """

    id: str
    seq: int
    at: float
    appid: str
    openid: str
    identity: Identity
    message_sha256: str
    course: PushCourse
    fields: Mapping[str, Any] | None
    accepted: float
    brief: bool = False
    message: bytes = field(default=b"", repr=False)
    clear: bytes = field(default=b"", repr=False)
    letter: Letter | None = field(default=None, repr=False)
    query: Mapping[str, str] | None = field(default=None, repr=False)
    attempts: list[Attempt] = field(default_factory=list)
    outcome: Outcome = "under_way"

    @property
    def seen(self) -> Seen | None:
        """What the user saw in the end; None while that is open."""
        if self.outcome == "under_way":
            return None
        return next((each.seen for each in self.attempts if each.seen != "nothing"), "nothing")


def _text(value: object) -> str | None:
    return None if value is None else str(value)
