"""What the siblings and everybody else import to use the token service from asyncio code.

Needs aiohttp alone: neither redis nor pydantic nor uvloop is loaded by it.
"""

from __future__ import annotations

from token_service.client.errors import (
    KeyUnreadable,
    NotAllowed,
    RequestRefused,
    ServiceBusy,
    ServiceUnreachable,
    TokenServiceError,
    TokenUnavailable,
    UnknownAccount,
)
from token_service.client.tokens import TokenClient

__all__ = [
    "KeyUnreadable",
    "NotAllowed",
    "RequestRefused",
    "ServiceBusy",
    "ServiceUnreachable",
    "TokenClient",
    "TokenServiceError",
    "TokenUnavailable",
    "UnknownAccount",
]
