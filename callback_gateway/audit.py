"""What somebody with the admin key saw or changed. Never a body."""

from __future__ import annotations

from typing import Final

from zhongkong.runtime.logs import AuditLine

ADMIN_ACTED: Final = AuditLine("admin_acted", ("request_id", "who", "what", "selection", "count"))

ADMIN: Final = "admin"
"""Who: there is one admin key."""
