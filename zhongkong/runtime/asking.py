"""How a command talks to the running service: over its internal listener, with the admin key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final

from pydantic import ConfigDict

from zhongkong.runtime.settings import HostPort, Settings, load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ADMIN_KEY_VARIABLE: Final = "ZHONGKONG_ADMIN_KEY"
TIMEOUT_S: Final = 5.0
_ANSWER_AT_MOST: Final = 64 * 1024**2
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only


class NotReached(Exception):
    """The running service can't be asked, or said no; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Service:
    """Which service is asked: its words in messages, and where it listens unless configured."""

    title: str
    """`token service`."""
    command: str
    """What starts it: `token-service run`."""
    prefix: str
    """Of the variables that override its settings."""
    internal_listen: HostPort


@dataclass(frozen=True, slots=True)
class Asker:
    """One command's way to the running service."""

    service: Service
    config: Path
    environ: Mapping[str, str]
    key_file: Path | None = None

    def ask(
        self, method: str, path: str, body: object = None, *, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """Send one request, return its JSON. Blocking for seconds. Raises ConfigError, NotReached.

        `body` is sent as JSON unless it is None.
        """
        service = self.service
        settings = load(_Address, self.config, self.environ, prefix=service.prefix).settings
        address = settings.internal_listen or service.internal_listen
        headers = _headers(self.environ, self.key_file)
        sent = None if body is None else json.dumps(body).encode()
        connection = HTTPConnection(reachable(address.host), address.port, timeout=timeout_s)
        try:
            connection.request(method, path, body=sent, headers=headers)
            answer = connection.getresponse()
            return self._document(answer.status, answer.read(_ANSWER_AT_MOST), address)
        except (OSError, HTTPException, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise NotReached(
                f"no {service.title} answers at {address} (internal_listen in {self.config}): "
                f"{why}; start it with `{service.command}`"
            ) from None
        finally:
            connection.close()

    def _document(self, status: int, body: bytes, address: HostPort) -> dict[str, Any]:
        if status == 401:
            raise NotReached(
                f"{address} wants the admin key: set {ADMIN_KEY_VARIABLE} or give --key-file, "
                "and `admin_key_sha256` in its configuration"
            )
        document = json.loads(body)
        if status != 200:
            said = document.get("detail") if isinstance(document, dict) else None
            raise NotReached(
                said or f"what listens at {address} answered {status}; is it the service?"
            )
        if not isinstance(document, dict):
            raise NotReached(f"what listens at {address} is no {self.service.title}")
        return document


def reachable(host: str) -> str:
    """The address to call on this machine what listens on `host`, which may be every interface."""
    return _EVERYWHERE.get(host, host)


class _Address(Settings):
    """The one setting needed here: whoever asks needn't be able to read the secrets."""

    model_config = ConfigDict(extra="ignore")

    internal_listen: HostPort | None = None


def _headers(environ: Mapping[str, str], key_file: Path | None) -> dict[str, str]:
    key = _admin_key(environ, key_file)
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _admin_key(environ: Mapping[str, str], key_file: Path | None) -> str:
    if key_file is None:
        return environ.get(ADMIN_KEY_VARIABLE, "")
    try:
        key = key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise NotReached(f"the key file {key_file} can't be read") from None
    if not key or not key.isascii() or not key.isprintable():
        raise NotReached(f"the key file {key_file} holds no key")
    return key
