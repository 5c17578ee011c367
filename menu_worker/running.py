"""The running worker, as its commands ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from menu_worker.settings import ENV_PREFIX, MenuWorkerSettings
from zhongkong.runtime.asking import Asker, Service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SERVICE: Final = Service(
    "menu worker",
    "menu-worker run",
    ENV_PREFIX,
    MenuWorkerSettings.model_fields["internal_listen"].default,
)


def running(config: Path, environ: Mapping[str, str], key_file: Path | None) -> Asker:
    """The worker of this configuration. Nothing is read or asked yet."""
    return Asker(_SERVICE, config, environ, key_file)
