"""What is believed to be WeChat's, and what isn't."""

from __future__ import annotations

import dataclasses

import pytest

from callback_gateway.accounts import Account, Mode
from callback_gateway.authenticity import (
    Forged,
    Forgery,
    Genuine,
    authenticate,
    check_echo,
    read_query,
)
from zhongkong.wechat.envelope import AesKey, seal
from zhongkong.wechat.push import BodyFormat, push_envelope
from zhongkong.wechat.signature import signature

KEY = AesKey.parse("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
OTHER_KEY = AesKey.parse("kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR")
NOW = 1700000000.0
FRESH = "1700000000"
NOISE = "0123456789abcdef"
TEXT = b"<xml><ToUserName>gh_1</ToUserName></xml>"
SHOP = Account(
    name="shop",
    appid="wx2c2769f8efd9abc2",
    original_id=None,
    tokens=("spamtest",),
    aes_keys=(KEY,),
    mode=Mode.SAFE,
)
PLAIN = dataclasses.replace(SHOP, mode=Mode.PLAINTEXT, aes_keys=())


def envelope(
    key: AesKey = KEY, appid: str = SHOP.appid, form: BodyFormat = BodyFormat.XML
) -> tuple[str, bytes]:
    sealed = seal(TEXT, key, appid, NOISE)
    return sealed, push_envelope("gh_1", sealed, form)


def signed(sealed: str, *, token: str = "spamtest", timestamp: str = FRESH) -> dict[str, str]:
    return {
        "signature": signature(token, timestamp, "n1"),
        "timestamp": timestamp,
        "nonce": "n1",
        "encrypt_type": "aes",
        "msg_signature": signature(token, timestamp, "n1", sealed),
    }


def clear(*, token: str = "spamtest", timestamp: str = FRESH) -> dict[str, str]:
    words = {"timestamp": timestamp, "nonce": "n1"}
    return {**words, "signature": signature(token, timestamp, "n1")}


def believe(account: Account, words: dict[str, str], body: bytes) -> Genuine:
    return authenticate(account, read_query(words), body, now=NOW, freshness_s=600)


def doubt(account: Account, words: dict[str, str], body: bytes) -> Forged:
    with pytest.raises(Forged) as refused:
        believe(account, words, body)
    return refused.value


@pytest.mark.parametrize("form", BodyFormat)
def test_a_sealed_and_signed_message_is_believed(form: BodyFormat) -> None:
    sealed, body = envelope(form=form)
    genuine = believe(SHOP, signed(sealed), body)
    assert genuine == Genuine(content=TEXT, form=form, token=0, key=0, stamp=None)


def test_the_vendor_s_own_sample_is_believed() -> None:
    sealed = (
        "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8"
        "PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jis"
        "a+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6"
        "X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl"
        "9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
    )
    words = {
        "timestamp": "1409735669",
        "nonce": "1320562132",
        "encrypt_type": "aes",
        "msg_signature": "5d197aaffba7e9b25a30732f161a50dee96bd5fa",
    }
    body = push_envelope("gh_10f6c3c3ac5a", sealed, BodyFormat.XML)
    genuine = authenticate(SHOP, read_query(words), body, now=1409735670, freshness_s=600)
    assert b"abcdteT" in genuine.content


def test_the_clear_fields_of_compatible_mode_are_never_used() -> None:
    sealed, _ = envelope()
    body = (
        "<xml><ToUserName>gh_1</ToUserName><Content>transfer everything</Content>"
        f"<Encrypt>{sealed}</Encrypt></xml>"
    ).encode()
    compatible = dataclasses.replace(SHOP, mode=Mode.COMPATIBLE)
    assert believe(compatible, signed(sealed), body).content == TEXT


def test_the_three_part_signature_does_not_stand_for_the_four_part_one() -> None:
    sealed, body = envelope()
    words = signed(sealed)
    assert doubt(SHOP, {**words, "msg_signature": words["signature"]}, body).reason is (
        Forgery.SIGNATURE
    )


def test_a_changed_envelope_is_a_forgery() -> None:
    sealed, _ = envelope()
    _, other = envelope(appid="wx0000000000000000")
    assert doubt(SHOP, signed(sealed), other).reason is Forgery.SIGNATURE


@pytest.mark.parametrize("mode", [Mode.SAFE, Mode.COMPATIBLE])
def test_a_message_in_clear_is_refused_where_encryption_is_on(mode: Mode) -> None:
    account = dataclasses.replace(SHOP, mode=mode)
    assert doubt(account, clear(), TEXT).reason is Forgery.NOT_ENCRYPTED


def test_another_account_s_envelope_is_refused() -> None:
    sealed, body = envelope(appid="wx0000000000000000")
    assert doubt(SHOP, signed(sealed), body).reason is Forgery.WRONG_ACCOUNT


def test_an_envelope_for_another_key_is_refused_cleanly() -> None:
    sealed, body = envelope(key=OTHER_KEY)
    assert doubt(SHOP, signed(sealed), body).reason in {Forgery.WRONG_KEY, Forgery.WRONG_ACCOUNT}


@pytest.mark.parametrize("body", [b"", b"<xml", b"<xml></xml>", b"{}", b"\xff\xfe", b"hello"])
def test_a_body_without_an_envelope_is_refused(body: bytes) -> None:
    assert doubt(SHOP, signed("x"), body).reason is Forgery.NO_ENVELOPE


@pytest.mark.parametrize("seconds", [-601, 601])
def test_what_is_not_of_now_is_refused_with_its_distance(seconds: int) -> None:
    moment = str(int(NOW) + seconds)
    sealed, body = envelope()
    forged = doubt(SHOP, signed(sealed, timestamp=moment), body)
    assert forged.reason is Forgery.STALE
    assert forged.skew_s == seconds


def test_an_old_forgery_tells_nothing_about_the_clock() -> None:
    sealed, body = envelope()
    forged = doubt(SHOP, signed(sealed, token="guess", timestamp="1600000000"), body)
    assert forged.reason is Forgery.SIGNATURE
    assert forged.skew_s is None


@pytest.mark.parametrize(
    "missing", ["timestamp", "nonce", "msg_signature"], ids=lambda name: f"no {name}"
)
def test_a_query_that_lacks_something_is_refused(missing: str) -> None:
    sealed, body = envelope()
    words = signed(sealed)
    del words[missing]
    assert doubt(SHOP, words, body).reason is Forgery.NO_SIGNATURE


@pytest.mark.parametrize("timestamp", ["", "now", "1e9", "-5", "９", "1" * 13, "1700000000\n"])
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(timestamp: str) -> None:
    sealed, body = envelope()
    words = {**signed(sealed), "timestamp": timestamp}
    assert doubt(SHOP, words, body).reason is Forgery.NO_SIGNATURE


def test_while_rotating_the_previous_token_and_key_are_believed_and_told() -> None:
    rotating = dataclasses.replace(SHOP, tokens=("newtoken", "spamtest"), aes_keys=(OTHER_KEY, KEY))
    sealed, body = envelope()
    genuine = believe(rotating, signed(sealed), body)
    assert (genuine.token, genuine.key) == (1, 1)


def test_in_plaintext_mode_the_first_body_of_a_proof_is_remembered() -> None:
    first = believe(PLAIN, clear(), TEXT).stamp
    again = believe(PLAIN, clear(), TEXT).stamp
    altered = believe(PLAIN, clear(), TEXT + b" ").stamp
    assert first is not None
    assert altered is not None
    assert first == again
    assert first.proof == altered.proof
    assert first.body != altered.body


def test_in_plaintext_mode_an_envelope_that_nobody_can_open_is_refused() -> None:
    sealed, body = envelope()
    assert doubt(PLAIN, signed(sealed), body).reason is Forgery.WRONG_KEY


def test_the_echo_comes_back_when_its_signature_holds() -> None:
    account = dataclasses.replace(SHOP, tokens=("AAAAA",))
    words = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
    }
    assert check_echo(account, words) == "4375120948345356249"
    with pytest.raises(Forged):
        check_echo(account, {**words, "nonce": "1514711493"})
    with pytest.raises(Forged):
        check_echo(account, {**words, "echostr": ""})
    with pytest.raises(Forged):
        check_echo(account, {**words, "echostr": "x" * 2000})


def test_nothing_secret_shows_in_a_repr() -> None:
    sealed, body = envelope()
    words = signed(sealed)
    shown = repr((SHOP, read_query(words), believe(SHOP, words, body)))
    assert "spamtest" not in shown
    assert words["msg_signature"] not in shown
    assert "gh_1" not in shown
