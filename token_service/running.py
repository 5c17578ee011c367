"""The running service, as its commands ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from token_service.internal import REVOCATIONS_PATH
from token_service.settings import ENV_PREFIX, TokenServiceSettings
from zhongkong.runtime.asking import Asker, Form, Service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SERVICE: Final = Service(
    "token service", "token-service run", ENV_PREFIX, TokenServiceSettings().internal_listen
)


class _Revoked(Form):
    client: str
    revoked: Literal[True]


def running(config: Path, environ: Mapping[str, str], key_file: Path | None) -> Asker:
    """The service of this configuration. Nothing is read or asked yet."""
    return Asker(_SERVICE, config, environ, key_file)


def revoke(service: Asker, client: str) -> None:
    """Have a client refused. Blocking, may be repeated. Raises ConfigError, NotReached."""
    service.ask("POST", REVOCATIONS_PATH.format(name=client)).read(_Revoked)
