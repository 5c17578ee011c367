"""PURE: what can become of an answer that is under way, and how it is told."""

from __future__ import annotations

from typing import Final

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError

ANSWER_ERRORS: Final = (
    ClientError,
    HttpProcessingError,
    OSError,
    EOFError,
)
"""What a connection raises in place of an answer or of the rest of one."""

_CAUSES: Final = {
    "ServerDisconnectedError": "the connection was closed without an answer",
    "ClientPayloadError": "the answer breaks off",
    "SocketTimeoutError": "it fell silent",
    "HttpProcessingError": "what came is no HTTP",
}


def cause_of(error: BaseException) -> str:
    """A few words. The text of aiohttp's errors may bring parts of the request along."""
    strerror = getattr(error, "strerror", None)
    if isinstance(strerror, str) and strerror:
        return strerror
    return _CAUSES.get(type(error).__name__, "the connection broke")
