from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.token_service.proxy.process import process
from tests.token_service.proxy.upstream import OK, Visit, token_answer, upstream
from tests.token_service.proxy.world import REAL_TOKEN, Client, lone
from token_service.proxy.settings import ProxySettings

CALM = ProxySettings(timeout=30.0, connect_timeout=30.0)
SEND = "/cgi-bin/message/custom/send"
BIG = 3 * 1024 * 1024
ADDRESS = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


def write(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Path:
    """Both in one file, as OpenSSL reads them."""
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Authority:
    """Vouches for certificates; `file` is what those who trust it need."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(self._name, self._key, authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, alternative: x509.GeneralName = ADDRESS) -> ssl.SSLContext:
        """What a server with this name needs to prove it."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wechat of a test")])
        path = self._folder / f"{self.file.stem} server.pem"
        write(path, self._signed(name, key, alternative), key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *alternatives: x509.GeneralName,
        authority: bool = False,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
            .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if alternatives:
            names = x509.SubjectAlternativeName(alternatives)
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The one that the service trusts, as OpenSSL's own environment variable says."""
    trusted = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.file))
    return trusted


async def fine(visit: Visit) -> None:
    await visit.body()
    visit.writer.write(OK)


async def test_calls_go_over_one_connection_that_is_checked(authority: Authority) -> None:
    async with (
        upstream(fine, authority.server()) as it,
        lone([it.origin], settings=CALM) as proxy,
    ):
        token = proxy.opaque_token()
        answers = [await proxy.post(f"{SEND}?access_token={token}", {"a": 1}) for _ in range(3)]

        assert [answer.errcode for answer in answers] == [0, 0, 0]
        assert [REAL_TOKEN.encode() in head for head in it.heads] == [True] * 3
        assert it.open == 1


async def test_large_bodies_go_both_ways(authority: Authority) -> None:
    film = bytes(range(256)) * (BIG // 256)
    taken: list[bytes] = []

    async def swap(visit: Visit) -> None:
        taken.append(await visit.body())
        visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (BIG, film))

    async with (
        upstream(swap, authority.server()) as it,
        lone([it.origin], settings=CALM) as proxy,
    ):
        target = f"/cgi-bin/media/upload?access_token={proxy.opaque_token()}"
        answer = await proxy.ask("POST", target, data=film)

        assert taken == [film]
        assert answer.body == film


async def test_an_answer_that_breaks_off_is_a_clean_error(authority: Authority) -> None:
    async def half(visit: Visit) -> None:
        await visit.body()
        visit.writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
        await visit.writer.drain()
        visit.writer.close()

    async with (
        upstream(half, authority.server()) as it,
        lone([it.origin], settings=CALM) as proxy,
    ):
        answer = await proxy.post(f"{SEND}?access_token={proxy.opaque_token()}", {})

        assert answer.errcode == -1
        assert "may have carried it out" in answer.document["errmsg"]
        assert proxy.parts.pool.in_use == 0


@pytest.mark.parametrize("flaw", ["nobody vouches for it", "it is another's"])
async def test_a_certificate_that_proves_nothing_ends_the_call_before_it_is_sent(
    flaw: str, authority: Authority, tmp_path: Path
) -> None:
    if flaw == "it is another's":
        tls = authority.server(x509.DNSName("api.weixin.qq.com.example"))
    else:
        tls = Authority(tmp_path, "unknown").server()
    async with upstream(fine, tls) as it, lone([it.origin], settings=CALM) as proxy:
        answer = await proxy.post(f"{SEND}?access_token={proxy.opaque_token()}", {})

        assert answer.errcode == -1
        assert "its certificate is not accepted" in answer.document["errmsg"]
        assert "may be repeated" in answer.document["errmsg"]
        assert it.requests == 0


@pytest.mark.slow
async def test_a_service_fetches_its_token_and_calls_over_tls(
    authority: Authority, tmp_path: Path
) -> None:
    async def wechat(visit: Visit) -> None:
        await (token_answer(visit) if "stable_token" in visit.target else fine(visit))

    trusting = {"SSL_CERT_FILE": str(authority.file)}
    async with upstream(wechat, authority.server()) as it, aiohttp.ClientSession() as session:
        with process(tmp_path, it.origin, environ=trusting) as service:
            client = Client(session, service.port)
            sent = await client.post(f"{SEND}?access_token={await client.token()}", {"a": 1})

            assert sent.errcode == 0
            assert b"access_token=92_" in it.heads[-1]
