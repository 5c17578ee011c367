"""Every path that the emulated platform serves."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.endpoint import SMALL_BODY, Endpoint, Visit
from zhongkong.emulator.endpoints import (
    conditional_menu,
    credentials,
    logins,
    material,
    media,
    menu,
    messages,
    network,
    openapi,
    tickets,
    users,
)
from zhongkong.emulator.wire import MIXED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.refusal import Payload
    from zhongkong.emulator.wire import Manner


def _quota(visit: Visit) -> Payload:
    return openapi.quota(visit, frozenset(SERVED))


_ALL: Final = (
    *credentials.ENDPOINTS,
    *tickets.ENDPOINTS,
    *network.ENDPOINTS,
    *openapi.ENDPOINTS,
    *menu.ENDPOINTS,
    *conditional_menu.ENDPOINTS,
    *media.ENDPOINTS,
    *material.ENDPOINTS,
    *messages.ENDPOINTS,
    *users.ENDPOINTS,
    *logins.ENDPOINTS,
    Endpoint(path=openapi.QUOTA_PATH, method="POST", credential="token", answer=_quota),
)

SERVED: Final[Mapping[str, Endpoint]] = MappingProxyType({each.path: each for each in _ALL})


def body_at_most(path: str) -> int:
    """In bytes, for any path."""
    endpoint = SERVED.get(path)
    return SMALL_BODY if endpoint is None else endpoint.body_at_most


def manner(path: str) -> Manner:
    """How the answers of any path are written."""
    endpoint = SERVED.get(path)
    return MIXED if endpoint is None else endpoint.manner
