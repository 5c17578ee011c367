"""What an account sent to its users, as they would have seen it. Bounded: the oldest fall out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from zhongkong.emulator.refusal import Payload

_MESSAGES_HELD: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """`content` is the part of the call's body that the type names; for templates, all of it."""

    msgid: int
    at: float
    openid: str
    via: Literal["custom", "template"]
    msgtype: str
    content: Payload


@dataclass(slots=True)
class Outbox:
    """Oldest first."""

    messages: deque[SentMessage] = field(default_factory=lambda: deque(maxlen=_MESSAGES_HELD))
    _last_id: int = 3_000_000_000

    def put(
        self,
        *,
        at: float,
        openid: str,
        via: Literal["custom", "template"],
        msgtype: str,
        content: Payload,
    ) -> SentMessage:
        self._last_id += 1
        message = SentMessage(
            msgid=self._last_id, at=at, openid=openid, via=via, msgtype=msgtype, content=content
        )
        self.messages.append(message)
        return message

    def to(self, openid: str | None = None) -> list[SentMessage]:
        """Those to one user, or all."""
        return [each for each in self.messages if openid in {None, each.openid}]
