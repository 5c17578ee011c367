"""Every path that the emulated platform serves."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.endpoint import Endpoint, Visit
from zhongkong.emulator.endpoints import credentials, network, openapi, tickets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.refusal import Payload


def _quota(visit: Visit) -> Payload:
    return openapi.quota(visit, frozenset(SERVED))


_ALL: Final = (
    *credentials.ENDPOINTS,
    *tickets.ENDPOINTS,
    *network.ENDPOINTS,
    *openapi.ENDPOINTS,
    Endpoint(path=openapi.QUOTA_PATH, method="POST", credential="token", answer=_quota),
)

SERVED: Final[Mapping[str, Endpoint]] = MappingProxyType({each.path: each for each in _ALL})
