from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from tests.token_service.api_world import KEYS, REJECTIONS, TOKEN
from tests.token_service.served_api import served_api

_PAUSE_S = 0.3
"""The API answers within it; what it makes nothing of, it may leave waiting for more."""

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "G\u00e9T")
HEADERS = (
    "If-None-Match",
    "Expect",
    "Content-Type",
    "Content-Encoding",
    "Transfer-Encoding",
    "Content-Length",
    "X-Request-ID",
    "Upgrade",
    "Range",
    "Accept",
    "Host",
)
paths = st.one_of(
    st.sampled_from([TOKEN, REJECTIONS, "*", "//", "/v1/accounts/", f"{TOKEN}/", "http://x/v1"]),
    st.lists(st.sampled_from(["v1", "accounts", "shop", "%2F", "..", "tokens", "", "%", ";a", "x"]))
    .map("/".join)
    .map("/{}".format),
    st.text(st.characters(codec="latin-1", exclude_characters="\r\n "), max_size=40).map(
        "/{}".format
    ),
)
queries = st.one_of(
    st.just(""),
    st.text(st.sampled_from("min_tlwa=&0123456789%+;?#-."), max_size=30).map("?{}".format),
)
fields = st.lists(
    st.tuples(
        st.sampled_from(HEADERS),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60),
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served_api() as found:
        yield found


def exchange(port: int, data: bytes) -> bytes:
    """What comes back, up to the end of the connection or a pause."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        connection.settimeout(_PAUSE_S)
        answer = b""
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except (TimeoutError, ConnectionError):
            pass
        return answer


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(METHODS), paths, queries, fields, st.binary(max_size=200))
@example("POST", REJECTIONS, "", [("Content-Encoding", "deflate")], b"not deflated")
@example("POST", REJECTIONS, "", [("Content-Encoding", "gzip")], b"\x1f\x8b broken")
@example("GET", TOKEN, "?" + "&".join(["a"] * 900), [], b"")
@example("GET", TOKEN, "", [("If-None-Match", "," * 60)], b"")
@example("GET", "/v1/accounts/\ud7ff", "", [], b"")
def test_no_request_makes_the_api_fail(
    port: int,
    method: str,
    path: str,
    query: str,
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    lines = [f"{method} {path}{query} HTTP/1.1", f"Authorization: Bearer {KEYS['ops']}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if not any(name in {"Content-Length", "Transfer-Encoding"} for name, _ in headers):
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close")
    head = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n"

    # A body that its headers announce as longer is cut off by the end of a second request.
    answer = exchange(port, head + body)

    status = re.match(rb"HTTP/1\.[01] ([0-9]{3}) ", answer)
    assert status is None or int(status[1]) < 500, answer
    assert b"Traceback" not in answer


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_no_bytes_make_the_listener_fail(port: int, data: bytes) -> None:
    answer = exchange(port, data + b"\r\n\r\n")

    assert not answer.startswith(b"HTTP/1.1 5")
    assert b"Traceback" not in answer
