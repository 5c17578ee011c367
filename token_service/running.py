"""The running service, as its commands ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from token_service.settings import ENV_PREFIX, TokenServiceSettings
from zhongkong.runtime.asking import Asker, Service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SERVICE: Final = Service(
    "token service", "token-service run", ENV_PREFIX, TokenServiceSettings().internal_listen
)


def running(config: Path, environ: Mapping[str, str], key_file: Path | None) -> Asker:
    """The service of this configuration. Nothing is read or asked yet."""
    return Asker(_SERVICE, config, environ, key_file)
