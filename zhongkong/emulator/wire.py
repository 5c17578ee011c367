"""An answer as bytes: WeChat's odd headers, and the garbage that proxies make of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from zhongkong.emulator.chance import Chance
    from zhongkong.emulator.faults import GarbageForm
    from zhongkong.emulator.parameters import Parameters
    from zhongkong.emulator.refusal import Payload

_BUSY: Final[Payload] = {"errcode": -1, "errmsg": "system error"}
_BAD_GATEWAY: Final = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How an endpoint writes its JSON. `plain_text` is the Content-Type of media endpoints."""

    plain_text: bool = False
    escaped_slashes: bool = False


MIXED: Final = Manner()


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """`content_type` None: the header is absent."""

    status: int
    content_type: str | None
    body: bytes


def written(
    answer: Payload | None, parameters: Parameters, chance: Chance, manner: Manner = MIXED
) -> WireAnswer:
    """Status 200 whatever the errcode, UTF-8 unescaped, one of the content types in the wild.

    Where no answer was made, that of a busy platform.
    """
    body = orjson.dumps(_BUSY if answer is None else answer)
    if manner.escaped_slashes:
        body = body.replace(b"/", b"\\/")
    if manner.plain_text:
        return WireAnswer(200, "text/plain", body)
    return WireAnswer(200, chance.choice(parameters.content_types), body)


def spoilt(sound: WireAnswer, form: GarbageForm) -> WireAnswer:
    """What arrives in place of `sound`. `cut_midway` is for whoever sends: it stays whole here."""
    match form:
        case "cut_midway":
            return sound
        case "html_502":
            return WireAnswer(502, "text/html", _BAD_GATEWAY)
        case "empty":
            return WireAnswer(200, sound.content_type, b"")
        case "truncated":
            return WireAnswer(200, sound.content_type, sound.body[: len(sound.body) // 2])
        case "bad_bytes":
            # A lone continuation byte and a control character inside a string, as cut nicknames
            # have them; the rest stays readable for whoever reads leniently.
            body = b'{"nickname":"a\x80b\x03c",' + sound.body[1:]
            return WireAnswer(200, sound.content_type, body)
        case "not_json":
            return WireAnswer(200, "text/plain", b"system busy, please try again later")
