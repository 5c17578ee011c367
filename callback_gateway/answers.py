"""PURE: what WeChat is told, and how long one of its tries may wait for that.

WeChat sends a callback up to three times, 5 s apart, and takes the answer to any of them. So a
handler has as long as the last try lasts, if those before it are left without an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import orjson

from callback_gateway.routes import SHORT_WINDOW_S
from zhongkong.wechat.envelope import seal
from zhongkong.wechat.passive_reply import ReplyRefused, check_fit, read_reply, render_reply
from zhongkong.wechat.push import BodyFormat, reply_envelope
from zhongkong.wechat.signature import signature

if TYPE_CHECKING:
    from callback_gateway.accounts import Account
    from callback_gateway.authenticity import Genuine
    from callback_gateway.event import Event
    from zhongkong.wechat.passive_reply import PassiveReply

SUCCESS: Final = b"success"
SENDING_S: Final = 0.05
"""What is left of the deadline for the answer's own way."""

_HELD_BEYOND_S: Final = 1.0
"""WeChat hangs up first; this is for a sender that doesn't."""

_MEDIA_TYPES: Final = {BodyFormat.XML: "text/xml", BodyFormat.JSON: "application/json"}


@dataclass(frozen=True, slots=True)
class Pace:
    """WeChat's cadence as configured; seconds."""

    tries: int = 3
    retry_every_s: float = 5.0
    answer_within_s: float = 4.5

    def window_s(self, reply_window_s: float) -> float:
        """From the first try until the last one must be answered, for a route's `reply_window`."""
        if reply_window_s <= SHORT_WINDOW_S:
            return self.answer_within_s
        return (self.tries - 1) * self.retry_every_s + self.answer_within_s


@dataclass(frozen=True, slots=True)
class Patience:
    """So long a try waits for the reply; then it is left unanswered, or given the fallback."""

    seconds: float
    withheld: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a 200."""

    body: bytes = field(repr=False)
    media_type: str = "text/plain"


NOTHING_TO_SAY: Final = Answer(SUCCESS)


def patience(
    pace: Pace, *, long_window: bool, tries: int, spent_s: float, joinable: bool
) -> Patience:
    """How long this try may wait. `tries` counts it; `spent_s` is since it came in.

    Without a store, or while this process ends, nobody could join it: then it is answered.
    """
    if long_window and joinable and tries < pace.tries:
        return Patience(max(pace.retry_every_s + _HELD_BEYOND_S - spent_s, 0.0), withheld=True)
    return Patience(max(pace.answer_within_s - SENDING_S - spent_s, 0.0), withheld=False)


def stored_reply(reply: bytes) -> PassiveReply | None:
    """What the inbox keeps as a reply. Raises ReplyRefused."""
    if not reply:
        return None
    try:
        return read_reply(orjson.loads(reply))
    except orjson.JSONDecodeError:
        raise ReplyRefused("", "is no JSON") from None


def fits(reply: PassiveReply, event: Event) -> bool:
    """Whether WeChat takes this reply for this event."""
    try:
        check_fit(reply, event.name if event.kind == "message" else event.kind)
    except ReplyRefused:
        return False
    return True


def answer(
    reply: PassiveReply | None,
    *,
    event: Event,
    request: Genuine,
    account: Account,
    now: int,
    nonce: str,
    noise: str,
) -> Answer:
    """The reply in the form of the request, encrypted when that was. `noise`: 16 characters."""
    if reply is None:
        return NOTHING_TO_SAY
    text = render_reply(
        reply, to_user=event.user, from_user=event.to_user, create_time=now, form=request.form
    )
    if request.key is not None:
        sealed = seal(text, account.aes_keys[request.key], account.appid, noise)
        proof = signature(account.tokens[request.token], str(now), nonce, sealed)
        text = reply_envelope(sealed, proof, now, nonce, request.form)
    return Answer(text, _MEDIA_TYPES[request.form])
