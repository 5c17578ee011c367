"""From the bytes of an HTTP answer to an Answer, or UnreadableAnswer. PURE.

WeChat answers nearly everything with status 200 and whatever Content-Type; success is the absence
of a code, or 0. Which codes are what is decided in `errors`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from zhongkong.wechat.errors import UnreadableAnswer, error_for
from zhongkong.wechat.presentable import presentable

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXCERPT_LIMIT: Final = 120
_RID: Final = re.compile(r"\brid: ?([0-9a-fA-F]{8}-[0-9a-fA-F]{8}-[0-9a-fA-F]{8})\b")
_HINT: Final = re.compile(r"\bhint: ?\[([^\[\]]{1,128})\]")
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What WeChat said. The payload may hold tokens, which is why it is not in the repr.

    `payload` is the whole JSON object as it came; for a top-level array it is empty and `items`
    holds the array. `errmsg` is without rid and hint, bounded and scrubbed.
    """

    payload: dict[str, Any] = field(repr=False)
    errcode: int
    errmsg: str
    rid: str | None
    hint: str | None
    status: int
    endpoint: str = ""
    items: tuple[Any, ...] = field(default=(), repr=False)

    def raise_for_errcode(self, *, at_token_endpoint: bool | None = None) -> None:
        """Raise the WeChatError for a code other than 0; the endpoint tells which 40001 it is."""
        if self.errcode != 0:
            raise error_for(
                self.errcode,
                self.errmsg,
                self.endpoint,
                at_token_endpoint=at_token_endpoint,
                rid=self.rid,
                hint=self.hint,
            )


def parse_answer(
    status: int, body: bytes, *, endpoint: str = "", hide: Sequence[str] = ()
) -> Answer:
    """Read an answer of status 200 that begins like JSON, whatever its headers said.

    Bad UTF-8 is replaced, raw control characters inside strings are accepted, integers stay exact.
    `hide` are values (tokens, secrets) that must not appear in errmsg or an error. Raises
    UnreadableAnswer, an OutcomeUnknown, for everything else, and nothing but that.
    """
    text = body.decode("utf-8-sig", errors="replace").strip()
    value, problem = _parse(text) if status == 200 else (None, "which says nothing about the call")
    answer = None if problem else answer_of(value, endpoint=endpoint, hide=hide)
    if answer is None:
        excerpt = presentable(text, hide, limit=_EXCERPT_LIMIT)
        detail = problem or "an errcode that is not a number"
        raise UnreadableAnswer(detail, status=status, excerpt=excerpt, endpoint=endpoint)
    return answer


def answer_of(value: Any, *, endpoint: str = "", hide: Sequence[str] = ()) -> Answer | None:
    """The Answer for a parsed object or array; None when its errcode is not a number."""
    payload = value if isinstance(value, dict) else {}
    items = tuple(value) if isinstance(value, list) else ()
    errcode = _errcode(payload)
    if errcode is None:
        return None
    errmsg = payload.get("errmsg", "")
    said, rid, hint = _split(errmsg if isinstance(errmsg, str) else "")
    said = presentable(said, hide)
    return Answer(payload, errcode, said, rid, hint, 200, endpoint, items)


def _parse(text: str) -> tuple[Any, str]:
    """The parsed value and "", or None and what is wrong."""
    if not text:
        return None, "an empty body"
    if text[0] not in "{[":
        return None, "no JSON"
    try:
        value = json.loads(text, strict=False, parse_constant=_refuse_constant)
        # Unpaired surrogates would break whoever encodes the value later.
        return (_encodable(value) if "\\u" in text else value), ""
    except (ValueError, RecursionError):
        return None, "broken JSON"


def _refuse_constant(name: str) -> None:
    """NaN and Infinity are no JSON, and a life of NaN seconds passes every comparison."""
    raise ValueError(name)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


def _errcode(payload: dict[str, Any]) -> int | None:
    """0 where there is no code; None for one that is no number."""
    code = payload.get("errcode", 0)
    if isinstance(code, str) and _INTEGER.fullmatch(code.strip()):
        return int(code)
    if isinstance(code, float) and code.is_integer():
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _split(errmsg: str) -> tuple[str, str | None, str | None]:
    """The text without its suffixes, the rid, the hint."""
    rid, hint = _RID.search(errmsg), _HINT.search(errmsg)
    text = _HINT.sub("", _RID.sub("", errmsg)).strip(" ,")
    return text, rid.group(1) if rid else None, hint.group(1) if hint else None
