"""Who was handed which token, who called WeChat through us, who reported what. Never a value.

One line each, written whatever the log level is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.runtime.logs import AuditLine

if TYPE_CHECKING:
    from zhongkong.runtime.logs import ReadyLine

_REMEMBERED: Final = 1024

_CALLER: Final = ("request_id", "client", "account", "kind")

HANDED_OUT: Final = AuditLine("token_handed_out", (*_CALLER, "version"))
REJECTION_REPORTED: Final = AuditLine(
    "rejection_reported", (*_CALLER, "version", "errcode", "outcome")
)
ROTATION_ASKED: Final = AuditLine("rotation_asked", (*_CALLER, "reason"))
CALL_PROXIED: Final = AuditLine(
    "call_proxied",
    ("request_id", "client", "account", "path_class", "method", "path", "status", "outcome"),
)
SDK_TOKEN_HANDED_OUT: Final = AuditLine("sdk_token_handed_out", (*_CALLER, "form"))


class Lines:
    """One audit line with values that keep coming back: each set of them is rendered once."""

    def __init__(self, line: AuditLine) -> None:
        self._line = line
        self._ready: dict[tuple[str | int, ...], ReadyLine] = {}

    def write(self, request_id: str, values: tuple[str | int, ...]) -> None:
        """Queue the line with these values after the request id."""
        ready = self._ready.get(values)
        if ready is None:
            if len(self._ready) >= _REMEMBERED:
                self._ready.clear()
            ready = self._ready[values] = self._line.ready(*values)
        ready.write(request_id)
