from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fixtures.redis import HOST, RedisServer, free_port
from zhongkong.runtime.redis import RedisConnection, Script
from zhongkong.runtime.storage import RedisTarget, StoreUnavailable, parse_store_url

PING = Script("ping", "return 'pong'")


def write_certificate(folder: Path) -> None:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis of a test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    write_certificate(tmp_path)
    port = free_port()
    server = RedisServer(
        tmp_path / "redis",
        options=(
            *("--tls-port", str(port), "--tls-auth-clients", "no"),
            *("--tls-cert-file", str(tmp_path / "cert.pem")),
            *("--tls-key-file", str(tmp_path / "key.pem")),
        ),
    )
    server.start()
    yield port
    server.kill()


async def ask(url: str, base: Path) -> object:
    target = parse_store_url(url, base)
    assert isinstance(target, RedisTarget)
    connection = await RedisConnection.open(target)
    try:
        return await connection.run(PING, [], [])
    finally:
        await connection.close()


async def test_a_server_is_checked_against_the_given_authority(
    tls_port: int, tmp_path: Path
) -> None:
    url = f"rediss://{HOST}:{tls_port}/0?ssl_ca_certs=cert.pem"
    assert await ask(url, tmp_path) == b"pong"


async def test_a_server_that_nobody_vouches_for_is_refused(tls_port: int, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"(?i)certificate"):
        await ask(f"rediss://{HOST}:{tls_port}/0", tmp_path)


async def test_the_check_can_be_switched_off_by_name(tls_port: int, tmp_path: Path) -> None:
    url = f"rediss://{HOST}:{tls_port}/0?ssl_cert_reqs=none&ssl_check_hostname=false"
    assert await ask(url, tmp_path) == b"pong"


async def test_tls_towards_a_plain_port_is_told(tls_port: int, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await ask(f"redis://{HOST}:{tls_port}/0", tmp_path)
