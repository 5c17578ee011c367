"""The body of a callback, and of the answer to it: XML or JSON. PURE.

Everything here may come from a stranger and is read within bounds. What the fields mean is told in
`catalogue`, who signed them in `signature`, what Encrypt holds in `envelope`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from zhongkong.wechat.malformed import MAX_BODY_BYTES, MAX_DEPTH, MAX_NODES, PushMalformed
from zhongkong.wechat.push_json import read_json, write_json
from zhongkong.wechat.push_xml import read_xml, write_xml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "BodyFormat",
    "PushMalformed",
    "encrypted_part",
    "format_of",
    "parse",
    "push_envelope",
    "render",
    "reply_envelope",
]

_BLANKS: Final = b" \t\r\n"

# The two shapes that WeChat sends in safe mode. Whatever else there is goes through the parser.
_USUAL_XML: Final = re.compile(
    rb"\s*<xml>\s*<ToUserName><!\[CDATA\[[\w@.-]*\]\]></ToUserName>\s*"
    rb"<Encrypt><!\[CDATA\[([A-Za-z0-9+/=]+)\]\]></Encrypt>\s*</xml>\s*"
)
_USUAL_JSON: Final = re.compile(
    rb'\s*\{\s*"ToUserName"\s*:\s*"[\w@.-]*"\s*,\s*"Encrypt"\s*:\s*"([A-Za-z0-9+/=]+)"\s*\}\s*'
)


class BodyFormat(StrEnum):
    XML = "xml"
    JSON = "json"


def format_of(body: bytes) -> BodyFormat:
    """XML or JSON by the first byte that is not blank. Content-Type says nothing reliable."""
    start = body.lstrip(_BLANKS)[:1]
    if start == b"<":
        return BodyFormat.XML
    if start == b"{":
        return BodyFormat.JSON
    raise PushMalformed("the body is neither XML nor a JSON object")


def encrypted_part(body: bytes, form: BodyFormat) -> str:
    """The text of Encrypt, which stands exactly once at the top. Raises PushMalformed.

    Fields in clear beside it (compatible mode) are not returned: nobody has signed them.
    """
    if len(body) <= MAX_BODY_BYTES:
        usual = (_USUAL_XML if form is BodyFormat.XML else _USUAL_JSON).fullmatch(body)
        if usual:
            return usual[1].decode()
    encrypted = parse(body, form).get("Encrypt")
    if not isinstance(encrypted, str) or not encrypted.strip():
        raise PushMalformed("the body has no Encrypt")
    return encrypted.strip()


def parse(body: bytes, form: BodyFormat) -> dict[str, Any]:
    """The fields under WeChat's own names, nested as they came. Raises PushMalformed.

    From XML every value is text, a dict, or a list (an element that holds only `item`s, or nested
    elements that repeat); an empty element is "". From JSON the values are what they are.
    """
    if len(body) > MAX_BODY_BYTES:
        raise PushMalformed(f"the body is longer than {MAX_BODY_BYTES} bytes")
    body = body.strip(_BLANKS)
    return read_xml(body) if form is BodyFormat.XML else read_json(body)


def render(fields: Mapping[str, Any], form: BodyFormat) -> bytes:
    """A body of the fields; `parse` reads them back, from XML with numbers as text.

    Raises PushMalformed for names and characters that the format can't carry.
    """
    return write_xml(fields) if form is BodyFormat.XML else write_json(fields)


def push_envelope(to_user: str, encrypt: str, form: BodyFormat) -> bytes:
    """The body of a callback in safe mode, as WeChat sends it."""
    return render({"ToUserName": to_user, "Encrypt": encrypt}, form)


def reply_envelope(
    encrypt: str, signature: str, timestamp: int, nonce: str, form: BodyFormat
) -> bytes:
    """The body of an encrypted answer. `signature` is over token, timestamp, nonce and Encrypt."""
    fields = {
        "Encrypt": encrypt,
        "MsgSignature": signature,
        "TimeStamp": timestamp,
        "Nonce": nonce,
    }
    return render(fields, form)
