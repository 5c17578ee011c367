"""How a command talks to the running service: over its internal listener, with the admin key."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final

from pydantic import ConfigDict

from token_service.settings import ENV_PREFIX, TokenServiceSettings
from zhongkong.runtime.settings import HostPort, Settings, load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ADMIN_KEY_VARIABLE: Final = "ZHONGKONG_ADMIN_KEY"
_TIMEOUT_S: Final = 5.0
_ANSWER_AT_MOST: Final = 64 * 1024**2
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only
_DEFAULTS: Final = TokenServiceSettings()


class NotReached(Exception):
    """The running service can't be asked, or said no; the message says why and what to do."""


class _Address(Settings):
    """The one setting needed here: whoever asks needn't be able to read the secrets."""

    model_config = ConfigDict(extra="ignore")

    internal_listen: HostPort = _DEFAULTS.internal_listen


def ask(
    method: str, path: str, config: Path, environ: Mapping[str, str], key_file: Path | None
) -> dict[str, Any]:
    """Send one request, return its JSON. Blocking for seconds. Raises ConfigError, NotReached."""
    address = load(_Address, config, environ, prefix=ENV_PREFIX).settings.internal_listen
    key = _admin_key(environ, key_file)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    host = _EVERYWHERE.get(address.host, address.host)
    connection = HTTPConnection(host, address.port, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return _document(answer.status, answer.read(_ANSWER_AT_MOST), address)
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise NotReached(
            f"no token service answers at {address} (internal_listen in {config}): {why}; "
            "start it with `token-service run`"
        ) from None
    finally:
        connection.close()


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


def _document(status: int, body: bytes, address: HostPort) -> dict[str, Any]:
    if status == 401:
        raise NotReached(
            f"{address} wants the admin key: set {ADMIN_KEY_VARIABLE} or give --key-file, "
            "and `admin_key_sha256` in its configuration"
        )
    document = json.loads(body)
    if status != 200:
        said = document.get("detail") if isinstance(document, dict) else None
        raise NotReached(said or f"what listens at {address} answered {status}; is it the service?")
    if not isinstance(document, dict):
        raise NotReached(f"what listens at {address} is no token service")
    return document
