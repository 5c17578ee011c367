"""What the HTTP library's errors mean: outcomes in our own words.

Its messages may hold what the target sent, so none of them is told.
"""

from __future__ import annotations

import os
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from callback_gateway.delivery.outcome import CONNECTION, GARBAGE, TLS, UNSENDABLE, Outcome

FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, OSError, EOFError, RuntimeError)
"""What a request may raise. uvloop reports some failures to connect as RuntimeError."""


def outcome_of(error: Exception) -> Outcome:
    """The outcome of an attempt that ended with one of FAILURES."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return Outcome(TLS, detail="its certificate is not accepted")
        case aiohttp.ClientSSLError():
            return Outcome(TLS, detail="the TLS handshake failed")
        case aiohttp.InvalidURL():
            return Outcome(UNSENDABLE, detail="its address can't be used")
        case aiohttp.ClientConnectorDNSError():
            return Outcome(CONNECTION, detail="its name does not resolve")
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            return Outcome(CONNECTION, detail=os.strerror(number) if number else "no connection")
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return Outcome(GARBAGE, detail="its answer is no HTTP")
        case aiohttp.ClientPayloadError():
            return Outcome(CONNECTION, detail="its answer broke off")
        case _:
            return Outcome(CONNECTION, detail="it closed the connection without an answer")
