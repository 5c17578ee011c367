"""Foreign text made fit for logs and errors. PURE.

What a secret looks like is known to `zhongkong.runtime.redaction`; here the text is also bounded,
made printable, and freed of values that the caller knows to be secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from zhongkong.runtime.redaction import REDACTED, scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

ERRMSG_LIMIT: Final = 512
"""Characters of an errmsg that are kept."""

_SCRUBBED_LENGTH: Final = 4096


def presentable(text: str, hide: Sequence[str] = (), *, limit: int = ERRMSG_LIMIT) -> str:
    """At most `limit` printable characters of `text`, without secrets.

    `hide` are exact values to cut out, also in their URL-encoded forms.
    """
    # Cut out before shortening: half a token at the end would no longer be found.
    for value in hide:
        for form in {value, quote(value, safe=""), quote_plus(value)} - {""}:
            text = text.replace(form, REDACTED)
    text = scrub(text[:_SCRUBBED_LENGTH])[:limit]
    return "".join(c if c.isprintable() else " " for c in text).strip()
