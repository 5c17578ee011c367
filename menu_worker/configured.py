"""From settings to what is in force: names, limits, policy, and the way to the token service."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from menu_worker.guards import Policy
from menu_worker.quota import limits
from menu_worker.settings import AccountKind
from token_service.client import TokenClient
from zhongkong.wechat.limits import REAL, SANDBOX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from menu_worker.settings import MenuWorkerSettings, TokenServiceLink

_NAME_AT_MOST: Final = 64
_DIGEST_HEX: Final = 8
_STRANGE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def instance_of(settings: MenuWorkerSettings, config: Path, host: str) -> str:
    """What this worker is called among those on its store: the same after each restart."""
    if settings.instance is not None:
        return settings.instance
    digest = hashlib.sha256(str(config.absolute()).encode()).hexdigest()[:_DIGEST_HEX]
    named = _STRANGE.sub("-", host).strip("-._")[: _NAME_AT_MOST - _DIGEST_HEX - 1]
    return f"{named or 'worker'}-{digest}"


def policy_of(settings: MenuWorkerSettings, *, force: bool = False) -> Policy:
    """What may be done without a word from a person; `force` is that word."""
    return Policy(allow_delete=settings.allow_delete, max_removed=settings.max_removed, force=force)


def daily_limits(settings: MenuWorkerSettings) -> Mapping[str, int]:
    """WeChat's calls a day by path."""
    return limits(SANDBOX if settings.kind is AccountKind.SANDBOX else REAL)


def token_client(link: TokenServiceLink) -> TokenClient:
    """Not entered yet: entering it raises KeyUnreadable."""
    if link.key.path is not None:
        return TokenClient(link.url, key_file=link.key.path)
    return TokenClient(link.url, key=link.key.reveal())
