"""Why the token service gave no token, as a typed tree. Each leaf tells its handler what to do.

    TokenServiceError        base; no message holds a key or a token
      TokenUnavailable       there is no live token now: try again after `retry_after_s`
      ServiceBusy            the service can't answer now: try again after `retry_after_s`
      ServiceUnreachable     the service doesn't answer, or something else does: try again, alarm
      NotAllowed             the key is unknown, or lacks the right: a human has to act
      UnknownAccount         no such account, or no such kind of token: a human has to act
      RequestRefused         the request is wrong: don't repeat it
      KeyUnreadable          the key file can't be read: a human has to act

What WeChat itself said to a call is in zhongkong.wechat.errors.
"""

from __future__ import annotations

from copy import copy
from typing import Self


class TokenServiceError(Exception):
    """`retry_after_s`: don't ask again sooner; 0 where waiting alone changes nothing."""

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def later(self, retry_after_s: float) -> Self:
        """The same error, for a caller who came while it lasts."""
        same = copy(self)
        same.retry_after_s = retry_after_s
        return same


class TokenUnavailable(TokenServiceError):
    """The service has no live token to give. Where WeChat said why, `errcode`, `rid`, `hint`."""

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float = 0.0,
        errcode: int | None = None,
        rid: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.errcode = errcode
        self.rid = rid
        self.hint = hint


class ServiceBusy(TokenServiceError):
    """Too many requests, a limit, or a process that is being stopped. Nothing was carried out."""


class ServiceUnreachable(TokenServiceError):
    """No connection, no answer in time, or an answer that is none of a token service's.

    `may_have_arrived` is False when the request provably never left.
    """

    def __init__(
        self, message: str, *, retry_after_s: float = 0.0, may_have_arrived: bool = False
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.may_have_arrived = may_have_arrived


class NotAllowed(TokenServiceError):
    """`status` is 401 for a key that isn't known there, 403 for a right that it lacks."""

    def __init__(self, message: str, *, retry_after_s: float = 0.0, status: int = 403) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.status = status


class UnknownAccount(TokenServiceError):
    """The service has no such account, or the account has no token of this kind."""


class RequestRefused(TokenServiceError):
    """The service doesn't take the request as it is; the message says why."""


class KeyUnreadable(TokenServiceError):
    """`key_file` is missing, empty or no text. Names the file, never what is in it."""
