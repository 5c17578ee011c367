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


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """`content_type` None: the header is absent."""

    status: int
    content_type: str | None
    body: bytes


def written(answer: Payload, parameters: Parameters, chance: Chance) -> WireAnswer:
    """Status 200 whatever the errcode, UTF-8 unescaped, one of the content types in the wild."""
    return WireAnswer(200, chance.choice(parameters.content_types), orjson.dumps(answer))


def spoilt(
    answer: Payload | None, form: GarbageForm, parameters: Parameters, chance: Chance
) -> WireAnswer:
    """What arrives in place of the answer, or of none."""
    sound = written(_BUSY if answer is None else answer, parameters, chance)
    match form:
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
