"""Whether WeChat is content with what a try earned (P9), and what the user sees of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from zhongkong.emulator.callbacks.deliveries import Delivery, Undelivered
from zhongkong.emulator.callbacks.records import GOOD, AnswerKind
from zhongkong.emulator.callbacks.replies import Answered, BadReply, shown
from zhongkong.wechat.envelope import EnvelopeRefused, open_envelope
from zhongkong.wechat.push import BodyFormat, PushMalformed, parse
from zhongkong.wechat.signature import is_genuine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.callbacks.configuration import Format, Mode
    from zhongkong.wechat.envelope import AesKey

_TROUBLES: Final = {
    "timeout": AnswerKind.TIMEOUT,
    "connection": AnswerKind.CONNECTION,
    "too_large": AnswerKind.TOO_LARGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What an answer is judged by. `keys`: those that a reply may be encrypted with."""

    mode: Mode
    format: Format
    token: str = field(repr=False)
    keys: tuple[AesKey, ...] = field(repr=False)
    appid: str
    answered: Answered


@dataclass(frozen=True, slots=True)
class Judgement:
    """`problem` says what would have been right. `reply` is what the phone gets."""

    kind: AnswerKind
    problem: str | None = None
    status: int | None = None
    reply: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        return self.kind in GOOD


class _Refused(Exception):
    def __init__(self, kind: AnswerKind, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind
        self.problem = problem


def judge(delivery: Delivery, bench: Bench) -> Judgement:
    """Never raises, whatever came."""
    if isinstance(delivery, Undelivered):
        return Judgement(_TROUBLES[delivery.trouble], delivery.detail)
    status, body = delivery.status, delivery.body
    if delivery.late:
        return Judgement(AnswerKind.LATE, "the answer came after the deadline", status)
    if status != 200 and bench.answered.rules.push_status_checked:
        return Judgement(AnswerKind.STATUS, f"status {status}; 200 would be right", status)
    if body == b"success":
        return Judgement(AnswerKind.SUCCESS, status=status)
    if not body:
        return Judgement(AnswerKind.EMPTY, status=status)
    try:
        kind, fields = _reply(body, bench)
        reply = shown(fields, bench.answered)
    except _Refused as refused:
        return Judgement(refused.kind, refused.problem, status)
    except BadReply as bad:
        kind = AnswerKind.BAD_NAMES if bad.names else AnswerKind.BAD_REPLY
        return Judgement(kind, str(bad), status)
    return Judgement(kind, None, status, reply)


def _reply(body: bytes, bench: Bench) -> tuple[AnswerKind, Mapping[str, Any]]:
    fields = _parsed(body, bench.format)
    if "Encrypt" not in fields:
        if bench.mode == "safe":
            raise _Refused(AnswerKind.NOT_ENCRYPTED, "a reply is encrypted in safe mode")
        return AnswerKind.REPLY, fields
    if bench.mode == "plaintext":
        raise _Refused(AnswerKind.MALFORMED, "a reply is not encrypted in plaintext mode")
    return AnswerKind.ENCRYPTED_REPLY, _parsed(_opened(fields, bench), bench.format)


def _opened(outer: Mapping[str, Any], bench: Bench) -> bytes:
    parts = [str(outer.get(name, "")) for name in ("TimeStamp", "Nonce", "Encrypt")]
    if not parts[0].isdigit():
        raise _Refused(AnswerKind.MALFORMED, "TimeStamp is a whole number of seconds")
    if not is_genuine(str(outer.get("MsgSignature", "")), bench.token, *parts):
        raise _Refused(
            AnswerKind.BAD_SIGNATURE,
            "MsgSignature is the SHA-1 over token, TimeStamp, Nonce and Encrypt of the reply",
        )
    problem = "there is no key to open it with"
    for key in bench.keys:
        try:
            return open_envelope(parts[2], key, bench.appid)
        except EnvelopeRefused as refused:
            problem = str(refused)
    raise _Refused(AnswerKind.BAD_ENVELOPE, problem)


def _parsed(body: bytes, form: Format) -> Mapping[str, Any]:
    try:
        return parse(body, BodyFormat(form))
    except PushMalformed as malformed:
        problem = f"neither `success`, nor empty, nor a reply in {form}: {malformed}"
        raise _Refused(AnswerKind.MALFORMED, problem) from None
