"""Which addresses may fetch tokens: the allowlist, and the confirmation of risky addresses.

Pure: every question takes `now`. Refusals are WeChat's codes; their texts are made elsewhere.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, ClassVar

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowlistSettings:
    """How an account guards its token endpoints.

    enabled        only `addresses` (single ones or networks) may fetch tokens: else 40164
    confirmation   without an allowlist, an unknown address needs the administrator's consent:
                   89503, then 89501 until he approves or refuses
    """

    enabled: bool = False
    addresses: tuple[str, ...] = ()
    confirmation: bool = False

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for text in self.addresses:
            as_network(text)


def as_network(text: str) -> Network:
    """An address or a network. Raises ValueError naming the text."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as exc:
        raise ValueError(
            f"{text!r} is no address or network; write 203.0.113.7 or 203.0.113.0/24"
        ) from exc


def as_address(peer: str) -> Address | None:
    """The peer's address, an IPv4 one out of its IPv6 wrapping; None for what is no address."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


@dataclass(slots=True)
class Allowlist:
    """The state behind the settings: what is pending, approved and refused, and since when."""

    settings: AllowlistSettings
    pending: dict[str, float] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    refused: dict[str, list[float]] = field(default_factory=dict)

    def check(self, peer: str, now: float, once_s: float, twice_s: float) -> int:
        """0, or the code that refuses this peer. Asking may open a confirmation."""
        if self.settings.enabled:
            return 0 if self._listed(peer) else 40164
        if not self.settings.confirmation or peer in self.approved:
            return 0
        if peer in self.pending:
            return 89501
        blocked = self._blocked(peer, now, once_s, twice_s)
        if not blocked:
            self.pending[peer] = now
        return blocked or 89503

    def approve(self, peer: str) -> None:
        """The administrator taps "allow". Repeating it changes nothing."""
        self.pending.pop(peer, None)
        self.refused.pop(peer, None)
        self.approved.add(peer)

    def refuse(self, peer: str, now: float) -> None:
        """The administrator taps "refuse". Each call counts."""
        self.pending.pop(peer, None)
        self.approved.discard(peer)
        self.refused.setdefault(peer, []).append(now)

    def _listed(self, peer: str) -> bool:
        address = as_address(peer)
        return address is not None and any(
            address in as_network(text) for text in self.settings.addresses
        )

    def _blocked(self, peer: str, now: float, once_s: float, twice_s: float) -> int:
        times = self.refused.get(peer, [])
        if len(times) > 1 and times[-1] - times[-2] < twice_s and now < times[-1] + twice_s:
            return 89506
        return 89507 if times and now < times[-1] + once_s else 0
