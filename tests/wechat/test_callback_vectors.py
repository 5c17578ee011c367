"""Known pairs of input and answer: WeChat's own samples, and those of its SDKs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from zhongkong.wechat.catalogue import normalise
from zhongkong.wechat.envelope import AesKey, EnvelopeFault, EnvelopeRefused, open_envelope, seal
from zhongkong.wechat.push import (
    BodyFormat,
    encrypted_part,
    format_of,
    parse,
    push_envelope,
    reply_envelope,
)
from zhongkong.wechat.signature import is_genuine, signature

ZERO_KEY = "A" * 43
SPAM_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SPAM_APPID = "wx2c2769f8efd9abc2"


@dataclass(frozen=True)
class Vector:
    token: str
    key: str
    appid: str
    timestamp: str
    nonce: str
    noise: str
    message: bytes
    encrypt: str
    msg_signature: str

    def opened(self, *, key: str | None = None, appid: str | None = None) -> bytes:
        return open_envelope(self.encrypt, AesKey.parse(key or self.key), appid or self.appid)


V3 = Vector(
    token="AAAAA",
    key=ZERO_KEY,
    appid="wxba5fad812f8e6fb9",
    timestamp="1714112445",
    nonce="415670741",
    noise="a8eedb185eb2fecf",
    message=(
        b'{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY",'
        b'"CreateTime":1714112445,"MsgType":"event","Event":"debug_demo",'
        b'"debug_str":"hello world"}'
    ),
    encrypt=(
        "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJG"
        "QqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrf"
        "MZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgR"
        "tWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
    ),
    msg_signature="046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
)
V4 = Vector(
    token="AAAAA",
    key=ZERO_KEY,
    appid="wxba5fad812f8e6fb9",
    timestamp="1713424427",
    nonce="415670741",
    noise="707722b803182950",
    message=b'{"demo_resp":"good luck"}',
    encrypt=(
        "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
    ),
    msg_signature="1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
)
V5 = Vector(
    token="spamtest",
    key=SPAM_KEY,
    appid=SPAM_APPID,
    timestamp="1409735669",
    nonce="1320562132",
    noise="89465c840c5f116f",
    message=(
        b"<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n"
        b"<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n"
        b"<CreateTime>1409735668</CreateTime>\n"
        b"<MsgType><![CDATA[text]]></MsgType>\n"
        b"<Content><![CDATA[abcdteT]]></Content>\n"
        b"<MsgId>6054768590064713728</MsgId>\n"
        b"</xml>"
    ),
    encrypt=(
        "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6"
        "F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T33"
        "2jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCg"
        "avjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6Oewp"
        "usjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
    ),
    msg_signature="5d197aaffba7e9b25a30732f161a50dee96bd5fa",
)
V6 = Vector(
    token="pamtest",
    key=SPAM_KEY,
    appid="wxb11529c136998cb6",
    timestamp="1409304348",
    nonce="xxxxxx",
    noise="aaaabbbbccccdddd",
    message="我是中文abcd123".encode(),
    encrypt=(
        "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
    ),
    msg_signature="82c962d39941aa48552f90ef55aa323dc620cc10",
)
V8 = Vector(
    token="123456",
    key="kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR",
    appid="wx49f0ab532d5d035a",
    timestamp="1411443780",
    nonce="437374425",
    noise="",  # not published
    message=b"5927782489442352469",
    encrypt=(
        "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q=="
    ),
    msg_signature="dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
)
V9 = Vector(
    token="spamtest",
    key=SPAM_KEY,
    appid=SPAM_APPID,
    timestamp="1700000000",
    nonce="nonce01",
    noise="0123456789abcdef",
    message=b"x" * 26,
    encrypt=(
        "Q3stYC6hdFzMh9T8HCvyDHDxbrF7f8TfmYxXSN1y2Vbjja9RgRLcXPjzJF67v90VqCI+oP5AvFesm/TURLI/Knns"
        "sYnLjpENg6/duBVJqNyjkC8Cg82uz8tPptv2yfPm"
    ),
    msg_signature="1e2e5f0c229b273d4569e49a0d583f6a25a358a6",
)
V10 = Vector(
    token="spamtest",
    key=SPAM_KEY,
    appid=SPAM_APPID,
    timestamp="1700000001",
    nonce="n0nce",
    noise="fedcba9876543210",
    message=(
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"
        "<FromUserName><![CDATA[oABCDEFGHIJKLMNOPQRSTUVWXYZ0]]></FromUserName>"
        "<CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        "<Event><![CDATA[CLICK]]></Event><EventKey><![CDATA[KEY_😀_中]]></EventKey></xml>"
    ).encode(),
    encrypt=(
        "DpQeJfnf/MGZ/+GTIspwVCC2Yqf/4/Mtd22RtlTtMpcsu8FzL1l3ucaYu+IdaYGfJtlYfYJGVoNAoDxe11xOTAxA"
        "B+iqH8Cc6HVMmUnKiaxXulEZQfqxhv+UIYF4LaAe+bEyD2xA5nDyUzwkLMUgBKrJofY5CFQMC61N9eOOkuHj/Zip"
        "uIkBcIGH/jomJV9xATEWGL7jfeFscB0OcN3jGttC4zBEfRLmlbfTak8T8J+CA68QUs+zl+26Tv7DJ96jEYKAe1gd"
        "C+boKm/7zFslrhLf3nk/2Mx2c5ZFcT7fPeKvtB8MsaSoaO09VbDJw2Qkq3JeCW7C4PZB0Rf51DBvPK4IP0oWZIaA"
        "U5M4XSXTvSgU2xjOXcjZsTbDuCHmGcnCyrnzZYclEsHJnPAEvjJeAntE3e4SVwGrg5tMA74at9M="
    ),
    msg_signature="a2c96528abf951304bf226a7a10ec248e255a2c0",
)

ENVELOPES = [
    pytest.param(V3, id="V3 safe mode push, JSON"),
    pytest.param(V4, id="V4 encrypted reply, JSON"),
    pytest.param(V5, id="V5 safe mode push, XML"),
    pytest.param(V6, id="V6 multibyte length"),
    pytest.param(V8, id="V8 an echostr in an envelope, as WeCom sends it"),
    pytest.param(V9, id="V9 full padding block"),
    pytest.param(V10, id="V10 menu click with emoji"),
]
SEALED_WITH_KNOWN_NOISE = [case for case in ENVELOPES if case.values[0] is not V8]


def pushed(vector: Vector) -> dict[str, Any]:
    message = vector.opened()
    return parse(message, format_of(message))


# ------------------------------------------------------------------------------------- signatures


@pytest.mark.parametrize(
    ("token", "timestamp", "nonce", "expected"),
    [
        pytest.param(
            "AAAAA",
            "1714036504",
            "1514711492",
            "f464b24fc39322e44b38aa78f5edd27bd1441696",
            id="V1 URL verification",
        ),
        pytest.param(
            "AAAAA",
            "1714037059",
            "486452656",
            "899cf89e464efb63f54ddac96b0a0a235f53aa78",
            id="V2 plaintext push",
        ),
        pytest.param(
            "AAAAA",
            "1714112445",
            "415670741",
            "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
            id="V3 without Encrypt",
        ),
        pytest.param(
            "spamtest",
            "1409735669",
            "1320562132",
            "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a",
            id="V5 without Encrypt",
        ),
        pytest.param(
            "spamtest",
            "1700000001",
            "n0nce",
            "6165cadaa84c3393f8e51f9e590ba460360c5e51",
            id="V10 without Encrypt",
        ),
        pytest.param(
            "b", "10", "9", "83099d7742a641c7cf25d5088cc6fac2df4fd847", id="V11 sort order trap"
        ),
    ],
)
def test_signature_without_a_body(token: str, timestamp: str, nonce: str, expected: str) -> None:
    assert signature(token, timestamp, nonce) == expected
    assert is_genuine(expected, token, timestamp, nonce)


@pytest.mark.parametrize("vector", ENVELOPES)
def test_msg_signature(vector: Vector) -> None:
    parts = (vector.timestamp, vector.nonce, vector.encrypt)

    assert is_genuine(vector.msg_signature, vector.token, *parts)


@pytest.mark.parametrize("vector", ENVELOPES)
def test_msg_signature_of_another_second_is_not_genuine(vector: Vector) -> None:
    later = str(int(vector.timestamp) + 1)

    assert not is_genuine(vector.msg_signature, vector.token, later, vector.nonce, vector.encrypt)


def test_v5_the_signature_without_encrypt_is_not_taken_for_msg_signature() -> None:
    without_body = "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a"

    assert not is_genuine(without_body, V5.token, V5.timestamp, V5.nonce, V5.encrypt)


def test_v8_another_nonce_is_not_genuine() -> None:
    assert not is_genuine(V8.msg_signature, V8.token, V8.timestamp, "437374424", V8.encrypt)


# -------------------------------------------------------------------------------------- envelopes


@pytest.mark.parametrize("vector", ENVELOPES)
def test_envelope_is_opened(vector: Vector) -> None:
    assert vector.opened() == vector.message


@pytest.mark.parametrize("vector", SEALED_WITH_KNOWN_NOISE)
def test_envelope_is_sealed_to_the_same_text(vector: Vector) -> None:
    key = AesKey.parse(vector.key)

    assert seal(vector.message, key, vector.appid, vector.noise) == vector.encrypt


@pytest.mark.parametrize("vector", ENVELOPES)
@pytest.mark.parametrize("form", list(BodyFormat))
def test_encrypt_is_found_in_the_body_of_the_push(vector: Vector, form: BodyFormat) -> None:
    body = push_envelope("gh_10f6c3c3ac5a", vector.encrypt, form)

    assert encrypted_part(body, format_of(body)) == vector.encrypt


def test_v5_another_appid_is_refused() -> None:
    with pytest.raises(EnvelopeRefused) as refused:
        V5.opened(appid="wx0000000000000000")

    assert refused.value.reason is EnvelopeFault.APPID


def test_v5_another_key_is_refused_cleanly() -> None:
    with pytest.raises(EnvelopeRefused):
        V5.opened(key=ZERO_KEY)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        pytest.param(V8.key, V8.key[:-1] + "Q", id="the key of an SDK's tests"),
        pytest.param(SPAM_KEY, SPAM_KEY[:-1] + "E", id="G"),
        pytest.param(SPAM_KEY[:-1] + "F", SPAM_KEY[:-1] + "E", id="F"),
    ],
)
def test_v7_a_key_that_is_not_canonical_base64_is_its_canonical_spelling(
    text: str, canonical: str
) -> None:
    assert AesKey.parse(text) == AesKey.parse(canonical)


@pytest.mark.parametrize("last", "EFG")
def test_v7_every_spelling_of_the_key_opens_the_envelope(last: str) -> None:
    assert V5.opened(key=SPAM_KEY[:-1] + last) == V5.message


# --------------------------------------------------------------------------------------- contents


def test_v3_the_message_is_read() -> None:
    push = normalise(pushed(V3))

    assert (push.kind, push.name, push.event) == ("event", "debug_demo", "debug_demo")
    assert push.from_user == "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"
    assert push.fields["debug_str"] == "hello world"


def test_v4_the_reply_envelope_is_read_back() -> None:
    body = reply_envelope(
        V4.encrypt, V4.msg_signature, int(V4.timestamp), V4.nonce, BodyFormat.JSON
    )

    assert parse(body, BodyFormat.JSON) == {
        "Encrypt": V4.encrypt,
        "MsgSignature": V4.msg_signature,
        "TimeStamp": 1713424427,
        "Nonce": "415670741",
    }


def test_v5_the_message_is_read() -> None:
    push = normalise(pushed(V5))

    assert (push.kind, push.name, push.event) == ("message", "text", None)
    assert (push.to_user, push.from_user) == ("gh_10f6c3c3ac5a", "oyORnuP8q7ou2gfYjqLzSIWZf0rs")
    assert (push.create_time, push.msg_id) == (1409735668, "6054768590064713728")
    assert push.fields["content"] == "abcdteT"


def test_v10_the_emoji_of_the_key_is_whole() -> None:
    push = normalise(pushed(V10))

    assert (push.name, push.event) == ("click", "CLICK")
    assert push.fields["event_key"] == "KEY_😀_中"
