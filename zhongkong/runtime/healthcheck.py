"""Asks the process in this container whether it is well: `python -m zhongkong.runtime.healthcheck`.

For runtimes without probes of their own (Docker, Podman); Kubernetes asks the listener itself. It
needs neither the configuration nor a key, loads the standard library alone, and says in one line
what was answered.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLE: Final = "ZHONGKONG_HEALTH_URL"
DEFAULT_PORTS: Final = (9081, 9082, 9083)
"""Of the internal listeners. One container runs one service, so one of them answers."""
TIMEOUT_S: Final = 2.0
_ANSWER_AT_MOST: Final = 4096


def urls(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Which addresses to ask: the configured one, else /healthz on each service's usual port."""
    if configured := environ.get(VARIABLE):
        return (configured,)
    return tuple(f"http://127.0.0.1:{port}/healthz" for port in DEFAULT_PORTS)


def check(addresses: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> tuple[bool, str]:
    """Whether any of them answers 200, and a line about it. Blocking, `timeout_s` each."""
    answers = []
    for address in addresses:
        status, said = _ask(address, timeout_s)
        if status == 200:
            return True, f"{address}: {said}"
        answers.append(f"{address}: {said}")
    return False, "; ".join(answers)


def _ask(address: str, timeout_s: float) -> tuple[int, str]:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "http" or parts.hostname is None:
        return 0, f"is not an address: write {VARIABLE} as http://127.0.0.1:9081/readyz"
    connection = HTTPConnection(parts.hostname, port or 80, timeout=timeout_s)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        body = answer.read(_ANSWER_AT_MOST).decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        return 0, getattr(error, "strerror", None) or type(error).__name__
    else:
        return answer.status, f"{answer.status} {body}"
    finally:
        connection.close()


def main(environ: Mapping[str, str]) -> int:
    """0 when a service answers that it is well, else 1; the line goes to standard output."""
    well, line = check(urls(environ))
    sys.stdout.write(f"{line}\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(os.environ))
