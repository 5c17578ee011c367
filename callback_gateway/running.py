"""The running gateway, as its commands ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callback_gateway.settings import ENV_PREFIX, GatewaySettings
from zhongkong.runtime.asking import Asker, Service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SERVICE: Final = Service(
    "callback gateway", "callback-gateway run", ENV_PREFIX, GatewaySettings().internal_listen
)


def running(config: Path, environ: Mapping[str, str], key_file: Path | None) -> Asker:
    """The gateway of this configuration. Nothing is read or asked yet."""
    return Asker(_SERVICE, config, environ, key_file)
