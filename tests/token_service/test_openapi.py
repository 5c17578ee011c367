from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.token_service.proxy.upstream import Upstream, Visit, upstream
from tests.token_service.proxy.world import KEYS, REAL_TOKEN, Lone, lone
from tests.token_service.served_api import served_api
from token_service.openapi import OPENAPI

SCHEMA = schemathesis.openapi.from_dict(OPENAPI)
WECHAT = "/v1/accounts/{account}/wechat/{path}"
KNOWN = {"account": "shop", "kind": "access_token", "path": "cgi-bin/menu/get"}
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


class Served:
    """The whole client listener, over a WeChat that takes everything."""

    port = 0

    def __init__(self) -> None:
        self.wechat: Upstream | None = None

    @asynccontextmanager
    async def world(self) -> AsyncIterator[Lone]:
        async with upstream(fine) as it, lone([it.origin]) as proxy:
            self.wechat = it
            yield proxy


async def fine(visit: Visit) -> None:
    await visit.body()
    visit.writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
        b'{"errcode":0}'
    )


@pytest.fixture(scope="module")
def service() -> Iterator[Served]:
    it = Served()
    with served_api(it.world) as found:
        it.port = found
        yield it


def call(case: Case[Any], service: Served) -> Response:
    """Call as the client that may do everything, and hold the answer against the document."""
    answer = case.call(
        base_url=f"http://127.0.0.1:{service.port}",
        headers={"Authorization": f"Bearer {KEYS['sdk']}"},
    )
    case.validate_response(answer, checks=list(CHECKS))
    return answer


@SCHEMA.parametrize()
@QUICK
def test_every_answer_is_one_that_the_document_promises(case: Case[Any], service: Served) -> None:
    call(case, service)


@SCHEMA.parametrize()
@QUICK
def test_known_accounts_are_answered_as_promised_too(case: Case[Any], service: Served) -> None:
    case.path_parameters.update(
        {name: value for name, value in KNOWN.items() if name in case.path_parameters}
    )
    call(case, service)


@SCHEMA.include(path=WECHAT).parametrize()
@QUICK
def test_a_call_as_described_goes_on_with_the_real_token_or_is_refused_as_listed(
    case: Case[Any], service: Served
) -> None:
    case.path_parameters.update(KNOWN)
    assert service.wechat is not None
    before = service.wechat.requests
    answer = call(case, service)

    if answer.status_code == 200:
        assert answer.json() == {"errcode": 0}
        assert REAL_TOKEN.encode() in service.wechat.heads[-1]
    else:
        # Any status is promised of WeChat's answers; of our own refusals only those listed.
        listed = case.operation.definition.raw["responses"]
        assert str(answer.status_code) in listed or answer.status_code == 405
        assert answer.headers["content-type"] == ["application/problem+json"]
    assert service.wechat.requests - before == (answer.status_code == 200)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_example_of_the_document_is_let_through(method: str, service: Served) -> None:
    example = OPENAPI["components"]["parameters"]["path"]["schema"]["examples"][0]
    case = SCHEMA[WECHAT][method].Case(path_parameters={"account": "shop", "path": example})

    assert call(case, service).json() == {"errcode": 0}
