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


@pytest.fixture(scope="session")
def exported(services: Monitored) -> Families:
    """Every metric that they export, once the gateway has looked at its inbox."""

    def looked() -> bool:
        found = families_of(services.scrape("callback_gateway"))
        return "callback_gateway_oldest_due_seconds" in found and bool(
            found["callback_gateway_oldest_due_seconds"].samples
        )

    until(looked, "the gateway shows its queue")
    return {
        name: family
        for service in SERVICES
        for name, family in families_of(services.scrape(service)).items()
    }
