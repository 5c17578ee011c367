"""Who was handed which token, who reported one dead, who asked for a rotation. Never a value.

One line each, written whatever the log level is.
"""

from __future__ import annotations

from typing import Final

from zhongkong.runtime.logs import AuditLine

_CALLER: Final = ("request_id", "client", "account", "kind")

HANDED_OUT: Final = AuditLine("token_handed_out", (*_CALLER, "version"))
REJECTION_REPORTED: Final = AuditLine(
    "rejection_reported", (*_CALLER, "version", "errcode", "outcome")
)
ROTATION_ASKED: Final = AuditLine("rotation_asked", (*_CALLER, "reason"))
