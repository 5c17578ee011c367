"""The health check of a container."""

from __future__ import annotations

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.redis import free_port
from zhongkong.runtime.healthcheck import DEFAULT_PORTS, VARIABLE, check, urls

if TYPE_CHECKING:
    from collections.abc import Iterator


class Service(BaseHTTPRequestHandler):
    """Well at /healthz, not ready elsewhere."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()
        self.wfile.write(b'{"status":"told"}')

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run(address: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-I", "-m", "zhongkong.runtime.healthcheck"]
    return subprocess.run(
        words, check=False, capture_output=True, text=True, env={VARIABLE: address}
    )


def test_a_service_that_answers_200_is_well(service: str) -> None:
    done = run(f"{service}/healthz")

    assert done.returncode == 0
    assert done.stdout == f'{service}/healthz: 200 {{"status":"told"}}\n'


def test_another_answer_is_not_well_and_is_quoted(service: str) -> None:
    done = run(f"{service}/readyz")

    assert done.returncode == 1
    assert done.stdout == f'{service}/readyz: 503 {{"status":"told"}}\n'


def test_one_service_that_is_well_suffices(service: str) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/healthz"

    assert check([nobody, f"{service}/healthz", nobody])[0]


def test_without_an_answer_each_address_is_named_with_the_reason() -> None:
    nobody = f"http://127.0.0.1:{free_port()}/healthz"

    assert check([nobody, nobody]) == (
        False,
        f"{nobody}: Connection refused; {nobody}: Connection refused",
    )


@pytest.mark.parametrize("address", ["127.0.0.1:9081", "http://[::1", "http://x:port/", "ftp://x"])
def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    well, line = check([address])

    assert not well
    assert f"write {VARIABLE} as http://127.0.0.1:9081/readyz" in line


def test_unless_told_it_asks_every_service_where_it_usually_listens() -> None:
    assert urls({}) == tuple(f"http://127.0.0.1:{port}/healthz" for port in DEFAULT_PORTS)


def test_the_variable_names_the_one_address_to_ask() -> None:
    assert urls({VARIABLE: "http://127.0.0.1:1/readyz"}) == ("http://127.0.0.1:1/readyz",)


def test_it_loads_nothing_but_the_standard_library() -> None:
    code = "import sys, zhongkong.runtime.healthcheck; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert not {"aiohttp", "orjson", "pydantic", "typer", "yaml"} & set(done.stdout.split())
