"""What the tests of alerts, dashboards and runbooks share: one look at the running services."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.monitored import SERVICES, Families, Monitored, families_of, monitored, until


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """The three services, running."""
    with monitored(tmp_path_factory.mktemp("monitored")) as world:
        yield world


LATE = {
    "token_service": ("token_service_probes",),
    "callback_gateway": (
        "callback_gateway_dead_letters_made",
        "callback_gateway_delivery_attempts",
        "callback_gateway_oldest_due_seconds",
    ),
}
"""Families that have a series only some time after what they count."""


@pytest.fixture(scope="session")
def exported(services: Monitored) -> Families:
    """Every metric that they export, once the gateway has looked at its inbox."""

    def looked() -> bool:
        found = {service: families_of(services.scrape(service)) for service in LATE}
        return all(
            family in found[service] and bool(found[service][family].samples)
            for service, families in LATE.items()
            for family in families
        )

    until(looked, "the gateway shows its queue, and each service what comes late")
    return {
        name: family
        for service in SERVICES
        for name, family in families_of(services.scrape(service)).items()
    }
