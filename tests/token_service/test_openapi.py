from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.token_service.api_world import KEYS
from tests.token_service.served_api import served_api
from token_service.openapi import OPENAPI

SCHEMA = schemathesis.openapi.from_dict(OPENAPI)
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
QUICK = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served_api() as found:
        yield found


@SCHEMA.parametrize()
@QUICK
def test_every_answer_is_one_that_the_document_promises(case: Case[Any], port: int) -> None:
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {KEYS['ops']}"},
        checks=list(CHECKS),
    )


@SCHEMA.parametrize()
@QUICK
def test_known_accounts_are_answered_as_promised_too(case: Case[Any], port: int) -> None:
    case.path_parameters.update(
        {name: value for name, value in KNOWN.items() if name in case.path_parameters}
    )
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {KEYS['ops']}"},
        checks=list(CHECKS),
    )


KNOWN = {"account": "shop", "kind": "access_token"}
