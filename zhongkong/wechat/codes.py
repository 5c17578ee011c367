"""WeChat's error codes: what each one means, its class, and what to do about it.

This module is the one door; the rows lie in the `codes_…` modules beside it. Exceptions built from
codes live in `errors`. "Unconfirmed" in a text marks what only one source, or none of the vendor's,
has said.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zhongkong.wechat import (
    codes_account,
    codes_component,
    codes_conditional_menu,
    codes_menu,
    codes_request,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class CodeClass(StrEnum):
    """Who has to act, and how. The letters are those of the platform reference."""

    CALLER = "C"
    """The request is wrong: change it. Neither repeating nor refreshing helps."""
    TOKEN = "T"
    """The token is unusable: refresh once if it is still the current one, repeat the call once."""
    TRANSIENT = "R"
    """It may pass by itself: a few repetitions with growing, jittered waits."""
    QUOTA = "Q"
    """A counter is used up: no further call until it is reset."""
    OPERATOR = "O"
    """Configuration or the state of the account: a human has to act."""
    USER = "U"
    """The state of an end user: there is nothing to do."""
    ABSENCE = "N"
    """What was asked for does not exist, which is an answer like any other."""


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """One code. `errmsg` is the usual short text, "" where none is known; texts are English."""

    code: int
    errmsg: str
    meaning: str
    klass: CodeClass
    remedy: str


TOKEN_ENDPOINTS: Final = frozenset({"/cgi-bin/token", "/cgi-bin/stable_token"})
"""Paths that are called with a secret and answer with a token."""

ERROR_CODES: Final[Mapping[int, CodeInfo]] = MappingProxyType(
    {
        code: CodeInfo(code, errmsg, meaning, CodeClass(letter), remedy)
        for rows in (
            codes_account.ROWS,
            codes_request.ROWS,
            codes_menu.ROWS,
            codes_conditional_menu.ROWS,
            codes_component.ROWS,
        )
        for code, errmsg, meaning, letter, remedy in rows
    }
)

_AT_TOKEN_ENDPOINT: Final = CodeInfo(
    40001,
    "invalid credential",
    "The AppSecret is wrong, or belongs to another account.",
    CodeClass.OPERATOR,
    "Compare appid and AppSecret with the WeChat console, under Settings and Development, and"
    " correct the configured secret. If it was reset there, the new one has to be deployed.",
)


def classify(code: int, *, at_token_endpoint: bool) -> CodeClass:
    """The class of a code other than 0; unknown codes are the caller's fault.

    A token endpoint is called with a secret, not with a token, so that "token unusable" can only
    mean the secret there, and refreshing would lead back to the same refusal.
    """
    return describe(code, at_token_endpoint=at_token_endpoint).klass


def describe(code: int, *, at_token_endpoint: bool) -> CodeInfo:
    """Meaning and remedy of any code other than 0, known or not."""
    info = ERROR_CODES.get(code)
    if info is None:
        return _unknown(code)
    if at_token_endpoint and info.klass is CodeClass.TOKEN:
        return _AT_TOKEN_ENDPOINT if code == 40001 else _misplaced(info)
    return info


def _misplaced(info: CodeInfo) -> CodeInfo:
    return CodeInfo(
        info.code,
        info.errmsg,
        f"{info.meaning} From a token endpoint, which takes no token, this is unexpected.",
        CodeClass.OPERATOR,
        "Check that wechat.base_urls leads to WeChat's own API host and not to another token"
        " service, then compare appid and AppSecret with the WeChat console.",
    )


def _unknown(code: int) -> CodeInfo:
    return CodeInfo(
        code,
        "",
        "This code is not in our table.",
        CodeClass.CALLER,
        f"Look up {code} on the page of this endpoint in WeChat's documentation. The rid of the"
        " answer, given to POST /cgi-bin/openapi/rid/get within 7 days, shows the request as"
        " WeChat saw it.",
    )
