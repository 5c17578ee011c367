"""PURE: a no of the proxy in both languages: a problem for the native API, WeChat's for SDKs.

An SDK acts on `errcode` alone and shows `errmsg` to its user, so the text says what to do. WeChat
answers nearly everything with status 200, and so does the SDK face; only requests that no SDK makes
get another status. Which refusals there are is in `refusals`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import orjson

from zhongkong.runtime.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_URN = "urn:zhongkong:problem:"


class Face(StrEnum):
    """In whose language a caller is answered."""

    NATIVE = "native"
    SDK = "sdk"


class Outcome(StrEnum):
    """How a call through the proxy ended. Metric labels."""

    PASSED = "passed"
    """WeChat's answer was passed on; it held no errcode, or 0."""
    WECHAT_ERROR = "wechat_error"
    """WeChat's answer was passed on; it held another errcode."""
    HEALED = "healed"
    """The same after a dead token was replaced and the call repeated."""
    REFUSED = "refused"
    """Not sent: the caller may not, or asked wrongly."""
    LIMITED = "limited"
    """Not sent: too many calls."""
    NO_TOKEN = "no_token"
    """Not sent: there is no live token."""
    NOT_SENT = "not_sent"
    """No host of WeChat's could be reached."""
    UNKNOWN = "outcome_unknown"
    """Sent, and no usable answer came."""
    BROKEN_OFF = "broken_off"
    """The caller went away, or the answer ended in the middle."""


class Refusal(Exception):
    """An answer that says no. `detail` says what is wrong and what to do, and holds no secret."""

    def __init__(
        self,
        status: int,
        slug: str,
        errcode: int,
        detail: str,
        outcome: Outcome = Outcome.REFUSED,
        *,
        sdk_status: int = 200,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.errcode = errcode
        self.detail = detail
        self.outcome = outcome
        self.sdk_status = sdk_status
        self.headers = headers or {}
        self.extra = extra or {}

    def problem(self) -> Problem:
        title = self.slug.replace("-", " ").capitalize()
        return Problem(
            self.status,
            title,
            self.detail,
            type=_URN + self.slug,
            headers=self.headers,
            extra=self.extra,
        )

    def wechat_body(self) -> bytes:
        """The same as WeChat would put it."""
        return orjson.dumps({"errcode": self.errcode, "errmsg": f"{self.slug}: {self.detail}"})
