"""Addresses for firewalls: where the API answers, and where callbacks come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.emulator.endpoint import Endpoint, Visit

if TYPE_CHECKING:
    from zhongkong.emulator.refusal import Payload


def api_domain_ip(visit: Visit) -> Payload:
    return {"ip_list": list(visit.platform.parameters.domain_ips)}


def callback_ip(visit: Visit) -> Payload:
    return {"ip_list": list(visit.platform.parameters.callback_ips)}


ENDPOINTS: Final = (
    Endpoint(
        path="/cgi-bin/get_api_domain_ip", method="GET", credential="token", answer=api_domain_ip
    ),
    Endpoint(path="/cgi-bin/getcallbackip", method="GET", credential="token", answer=callback_ip),
)
