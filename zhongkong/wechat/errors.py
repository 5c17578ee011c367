"""What can come of a call to WeChat, as a typed tree. Each leaf tells its handler what to do.

    UpstreamError                 base; names the endpoint, never a token or a secret
      TransportError              no readable answer
        NotSent                   it provably never left: repeat it, also elsewhere
        OutcomeUnknown            it may have been carried out
          UnreadableAnswer        the same; something came back, but no WeChat answer
      WeChatError                 WeChat answered with a code
        Transient                 wait, then try again
        CredentialRejected        report which token failed
        QuotaExhausted            stop until the reset
        OperatorError             a human has to act
          AddressRefused          this machine's address is refused, others may not be
        RequestRejected           permanent: the request is wrong
        UserState                 skip this user
        NormalAbsence             an empty result

Control flow follows types and codes alone; errmsg is for people. What a code means is in `codes`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from zhongkong.wechat import address
from zhongkong.wechat.codes import TOKEN_ENDPOINTS, CodeClass, CodeInfo, describe
from zhongkong.wechat.limits import MINUTE_QUOTA_WAIT_S
from zhongkong.wechat.presentable import presentable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BUSY_WAIT_S: Final = 1.0
_NEXT_TICKET_PUSH_S: Final = 600.0
_TRANSIENT_WAIT_S: Final[Mapping[int, float]] = {
    -1: _BUSY_WAIT_S,
    45011: float(MINUTE_QUOTA_WAIT_S),
    61005: _NEXT_TICKET_PUSH_S,
    61006: _NEXT_TICKET_PUSH_S,
}


class UpstreamError(Exception):
    """Base of everything a call can end with. `endpoint` is the path, without its query."""

    def __init__(self, message: str, *, endpoint: str) -> None:
        super().__init__(message)
        self.endpoint = endpoint


class TransportError(UpstreamError):
    """There is no readable answer. Handle its leaves: they differ in whether a repeat is safe."""


class NotSentReason(StrEnum):
    """Why nothing left. The values are metric labels."""

    DNS = "dns"
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    TLS = "tls"
    DEADLINE = "deadline"
    CLOSED = "closed"


class NotSent(TransportError):
    """The call provably never reached WeChat: repeat it as often as you like, with backoff.

    `reason` is that of the last host tried; the message names each host and its own reason.
    """

    def __init__(self, reason: NotSentReason, detail: str, *, endpoint: str) -> None:
        super().__init__(f"{endpoint} was not called: {detail}", endpoint=endpoint)
        self.reason = reason
        self.detail = detail


class OutcomeUnknownReason(StrEnum):
    """How sight of the outcome was lost. The values are metric labels."""

    DEADLINE = "deadline"
    CONNECTION_LOST = "connection_lost"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"


class OutcomeUnknown(TransportError):
    """WeChat may or may not have carried the call out.

    Repeat only what is safe to repeat. A classic token call is not: its slot is in doubt.
    """

    def __init__(self, reason: OutcomeUnknownReason, detail: str, *, endpoint: str = "") -> None:
        super().__init__(f"{endpoint or 'a call'} ended unseen: {detail}", endpoint=endpoint)
        self.reason = reason
        self.detail = detail


class UnreadableAnswer(OutcomeUnknown):
    """An answer came that is not one of WeChat's: handle as OutcomeUnknown.

    `excerpt` holds its first characters, scrubbed; a proxy's error page is the usual cause.
    """

    def __init__(self, detail: str, *, status: int, excerpt: str, endpoint: str = "") -> None:
        shown = f", beginning {excerpt!r}" if excerpt else ""
        super().__init__(
            OutcomeUnknownReason.UNREADABLE,
            f"HTTP status {status}, {detail}{shown}",
            endpoint=endpoint,
        )
        self.status = status
        self.excerpt = excerpt


class WeChatError(UpstreamError):
    """WeChat answered with a code other than 0.

    `errmsg` is scrubbed and without its rid and hint; `info` holds meaning and remedy; `rid` and
    `hint` are None where the answer has none.
    """

    def __init__(
        self, info: CodeInfo, errmsg: str, *, endpoint: str, rid: str | None, hint: str | None
    ) -> None:
        said = f"{info.code} {errmsg or info.errmsg}".strip()
        trace = "".join(f" ({n} {v})" for n, v in (("rid", rid), ("hint", hint)) if v)
        super().__init__(
            f"{endpoint} answered {said}{trace}. {info.meaning} {info.remedy}", endpoint=endpoint
        )
        self.info = info
        self.errcode = info.code
        self.errmsg = errmsg
        self.rid = rid
        self.hint = hint


class Transient(WeChatError):
    """Wait at least `retry_after_s`, add growing jitter, try again; give up after a few tries.

    With `effect_unknown` (code -1) the call may have been carried out all the same: repeat only
    what is safe to repeat, and treat a token call as OutcomeUnknown. Otherwise nothing happened.
    """

    @property
    def retry_after_s(self) -> float:
        return _TRANSIENT_WAIT_S.get(self.errcode, _BUSY_WAIT_S)

    @property
    def effect_unknown(self) -> bool:
        return self.errcode == -1


class CredentialRejected(WeChatError):
    """Report which token version failed; with a newer one, repeat the call once, never more."""


class QuotaExhausted(WeChatError):
    """Make no further call of this kind before the reset (`limits.next_reset`), and raise an alarm.

    48006 lasts until the next month, and 65305 until conditional menus are deleted.
    """


class OperatorError(WeChatError):
    """Park the account: retry slowly, and show `info.remedy` in status, metrics and log."""


class AddressRefused(OperatorError):
    """This process's egress address is refused: stand aside for `retry_after_s`, let others try.

    `address` is the address as WeChat saw it, None where errmsg does not tell. The period is the
    default for the code; calls from other addresses are not concerned.
    """

    @property
    def address(self) -> str | None:
        return address.named_in(self.errmsg)

    @property
    def retry_after_s(self) -> float:
        return address.stand_aside_s(self.errcode)


class RequestRejected(WeChatError):
    """Permanent: our request is wrong. Do not repeat it; report it to whoever made it."""


class UserState(WeChatError):
    """An end user's state prevents it: skip this user, and do not repeat."""


class NormalAbsence(WeChatError):
    """What was asked for does not exist: turn it into an empty result."""


_LEAVES: Final[Mapping[CodeClass, type[WeChatError]]] = {
    CodeClass.CALLER: RequestRejected,
    CodeClass.TOKEN: CredentialRejected,
    CodeClass.TRANSIENT: Transient,
    CodeClass.QUOTA: QuotaExhausted,
    CodeClass.OPERATOR: OperatorError,
    CodeClass.USER: UserState,
    CodeClass.ABSENCE: NormalAbsence,
}


def error_for(
    errcode: int,
    errmsg: str,
    endpoint: str,
    *,
    at_token_endpoint: bool | None = None,
    rid: str | None = None,
    hint: str | None = None,
    hide: Sequence[str] = (),
) -> WeChatError:
    """The error for a code other than 0. `hide` are values that must not appear in it.

    `at_token_endpoint` follows from `endpoint` when it is not given.
    """
    if at_token_endpoint is None:
        at_token_endpoint = endpoint in TOKEN_ENDPOINTS
    info = describe(errcode, at_token_endpoint=at_token_endpoint)
    leaf = _LEAVES[info.klass]
    if address.is_refusal(errcode, at_token_endpoint=at_token_endpoint):
        leaf = AddressRefused
    return leaf(info, presentable(errmsg, hide), endpoint=endpoint, rid=rid, hint=hint)
