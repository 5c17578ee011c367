"""The bytes of callbacks, as an implementation that isn't ours reads them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import check_signature

from tests.emulator.callbacks.receivers import CRYPTO, KEY, OTHER_KEY, TOKEN, fields_of
from tests.emulator.platforms import APPID, NOW, OPENID, account, platform, user
from zhongkong.emulator.callbacks.attacks import ATTACKS, unfit
from zhongkong.emulator.callbacks.configuration import CallbackSettings
from zhongkong.emulator.callbacks.course import PushCourse
from zhongkong.emulator.callbacks.desk import PushDesk
from zhongkong.emulator.callbacks.letters import Letter
from zhongkong.emulator.callbacks.messages import PushWish
from zhongkong.emulator.callbacks.reception import PushRefused, configured
from zhongkong.emulator.callbacks.records import PushRecord
from zhongkong.wechat.envelope import AesKey, EnvelopeFault, EnvelopeRefused, open_envelope
from zhongkong.wechat.push import BodyFormat, PushMalformed, encrypted_part, parse


class Pen:
    """Writes letters of one configuration."""

    def __init__(self, **settings: Any) -> None:
        keys = {"aes_key": KEY, "previous_aes_key": OTHER_KEY}
        callback = CallbackSettings(url="http://shop.example/", token=TOKEN, **keys | settings)
        model = platform(account(callback=callback, users=(user(),)))
        self.desk = PushDesk(model.platform)

    def accept(self, course: Any = None, **wish: Any) -> PushRecord:
        wish = wish or {"text": "买入"}
        return self.desk.accept(
            APPID, PushWish(**wish, course=PushCourse(**course or {})), NOW, 0.0
        )

    def write(self, course: Any = None, **wish: Any) -> Letter:
        return self.again(self.accept(course, **wish))

    def again(self, push: PushRecord, *, now: float = NOW, signs_anew: bool = True) -> Letter:
        return self.desk.begin(push, now, 0.0, signs_anew=signs_anew, repeat=False).letter


def decrypted(letter: Letter, crypto: WeChatCrypto = CRYPTO) -> str:
    query = letter.query
    return str(
        crypto.decrypt_message(
            letter.body, query["msg_signature"], query["timestamp"], query["nonce"]
        )
    )


def test_safe_mode_is_read_by_wechatpy() -> None:
    letter = Pen().write()
    message = parse_message(decrypted(letter))
    assert (message.type, message.content, message.source) == ("text", "买入", OPENID)
    assert set(fields_of(letter.body)) == {"ToUserName", "Encrypt"}
    assert letter.query["encrypt_type"] == "aes"
    assert letter.content_type == "text/xml"


def test_plaintext_mode_is_read_by_wechatpy() -> None:
    letter = Pen(mode="plaintext", aes_key=None).write(click="BUY")
    query = letter.query
    check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
    assert parse_message(letter.body.decode()).key == "BUY"
    assert set(query) == {"signature", "timestamp", "nonce", "openid"}
    assert query["openid"] == OPENID


def test_compatible_mode_says_everything_twice() -> None:
    letter = Pen(mode="compatible").write()
    clear = fields_of(letter.body)
    assert clear.pop("Encrypt")
    assert clear == fields_of(decrypted(letter))


def test_json_has_numbers_as_numbers_and_ids_whole() -> None:
    pen = Pen(format="json")
    push = pen.accept()
    letter = pen.again(push)
    outer = json.loads(letter.body)
    crypto_input = {"Encrypt": outer["Encrypt"]}
    query = letter.query
    text = CRYPTO.decrypt_message(
        crypto_input, query["msg_signature"], query["timestamp"], query["nonce"]
    )
    assert json.loads(text) == push.fields
    assert letter.content_type == "application/json"


def test_compatible_json_says_everything_twice() -> None:
    outer = json.loads(Pen(format="json", mode="compatible").write().body)
    assert outer["Content"] == "买入"
    assert outer["Encrypt"]


def test_the_signature_that_covers_no_body_is_sent_in_every_mode() -> None:
    query = Pen().write().query
    check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])


def test_the_end_of_cdata_inside_a_text_arrives_whole() -> None:
    assert fields_of(decrypted(Pen().write(text="a]]>b😀")))["Content"] == "a]]>b😀"


def test_each_try_signs_and_encrypts_anew_around_the_same_message() -> None:
    pen = Pen()
    push = pen.accept()
    first, second = pen.again(push), pen.again(push, now=NOW + 5)
    assert decrypted(first) == decrypted(second)
    assert first.body != second.body
    assert first.query["nonce"] != second.query["nonce"]
    assert second.query["timestamp"] == str(int(NOW + 5))


def test_or_repeats_the_identical_bytes() -> None:
    pen = Pen()
    push = pen.accept()
    assert pen.again(push) == pen.again(push, now=NOW + 5, signs_anew=False)


def test_the_clear_fields_may_lie() -> None:
    letter = Pen(mode="compatible").write({"clear_fields": {"Content": "卖出", "MsgId": None}})
    assert fields_of(letter.body)["Content"] == "卖出"
    assert "MsgId" not in fields_of(letter.body)
    assert fields_of(decrypted(letter))["Content"] == "买入"


def test_the_previous_key_may_still_be_used() -> None:
    letter = Pen().write({"key": "previous"})
    assert "买入" in decrypted(letter, WeChatCrypto(TOKEN, OTHER_KEY, APPID))


def test_a_shifted_timestamp_is_signed_well() -> None:
    letter = Pen().write({"timestamp_shift_s": -700})
    assert letter.query["timestamp"] == str(int(NOW - 700))
    assert decrypted(letter)


# ---------------------------------------------------------------------------------- attacks


def attacked(name: str, **settings: Any) -> Letter:
    return Pen(**settings).write({"attack": name})


def fault_of(letter: Letter) -> EnvelopeFault:
    """What is wrong with an envelope whose signature holds."""
    encrypt = encrypted_part(letter.body, BodyFormat.XML)
    query = letter.query
    with pytest.raises(EnvelopeRefused) as refused:
        open_envelope(encrypt, AesKey.parse(KEY), APPID)
    # wechatpy checks the signature first: any other complaint means that it holds.
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - it raises what happens to go wrong
        CRYPTO.decrypt_message(
            letter.body, query["msg_signature"], query["timestamp"], query["nonce"]
        )
    assert not isinstance(theirs.value, InvalidSignatureException)
    return refused.value.reason


def test_a_wrong_token_breaks_the_signatures_alone() -> None:
    letter = attacked("wrong_token")
    with pytest.raises(InvalidSignatureException):
        decrypted(letter)
    encrypt = encrypted_part(letter.body, BodyFormat.XML)
    assert open_envelope(encrypt, AesKey.parse(KEY), APPID)


def test_an_unsigned_callback_has_no_signature_in_its_query() -> None:
    assert not any("signature" in name for name in attacked("unsigned").query)


def test_a_wrong_appid_is_sealed_with_the_right_key() -> None:
    with pytest.raises(InvalidAppIdException):
        decrypted(attacked("wrong_appid"))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("truncated_base64", EnvelopeFault.BASE64),
        ("pad_0", EnvelopeFault.PADDING),
        ("length_too_large", EnvelopeFault.BUFFER),
        ("not_utf8", EnvelopeFault.ENCODING),
    ],
)
def test_spoilt_envelopes_are_signed_well(name: str, fault: EnvelopeFault) -> None:
    assert fault_of(attacked(name)) is fault


def test_a_wrong_key_opens_to_garbage() -> None:
    assert fault_of(attacked("wrong_key")) in set(EnvelopeFault)


def test_padding_of_33_is_odd_in_nothing_else() -> None:
    letter = attacked("pad_33")
    encrypt = encrypted_part(letter.body, BodyFormat.XML)
    plain = AesKey.parse(KEY).decrypt(base64.b64decode(encrypt))
    assert plain[-33:] == bytes([33]) * 33
    assert len(plain) % 32 == 0
    assert plain[:-33].endswith(APPID.encode())
    with pytest.raises(EnvelopeRefused) as refused:
        open_envelope(encrypt, AesKey.parse(KEY), APPID)
    assert refused.value.reason is EnvelopeFault.PADDING


@pytest.mark.parametrize("name", ["dtd", "external_entity", "billion_laughs", "deep_nesting"])
def test_odd_xml_lies_inside_a_sound_envelope(name: str) -> None:
    letter = attacked(name)
    message = open_envelope(encrypted_part(letter.body, BodyFormat.XML), AesKey.parse(KEY), APPID)
    with pytest.raises(PushMalformed):
        parse(message, BodyFormat.XML)


@pytest.mark.parametrize("name", ["envelope_dtd", "envelope_billion_laughs"])
def test_or_around_it(name: str) -> None:
    letter = attacked(name)
    assert letter.body.startswith(b"<!DOCTYPE")
    with pytest.raises(PushMalformed):
        encrypted_part(letter.body, BodyFormat.XML)


@pytest.mark.parametrize("mode", ["plaintext", "compatible", "safe"])
@pytest.mark.parametrize("form", ["xml", "json"])
def test_a_huge_body_has_the_size_that_was_asked_for(mode: str, form: str) -> None:
    pen = Pen(mode=mode, format=form)
    letter = pen.write({"attack": "huge_body", "huge_bytes": 500_000})
    assert len(letter.body) > 500_000


def test_deep_json_is_nested_as_deeply() -> None:
    letter = attacked("deep_nesting", mode="plaintext", format="json")
    with pytest.raises(PushMalformed):
        parse(letter.body, BodyFormat.JSON)


def test_a_stale_callback_is_signed_well() -> None:
    letter = attacked("stale_timestamp")
    assert letter.query["timestamp"] == str(int(NOW - 3600))
    assert decrypted(letter)


def test_a_downgrade_looks_like_plaintext_mode() -> None:
    letter = attacked("downgrade")
    assert set(letter.query) == {"signature", "timestamp", "nonce", "openid"}
    assert fields_of(letter.body)["Content"] == "买入"


def test_an_altered_replay_has_an_old_query_and_a_new_body() -> None:
    pen = Pen(mode="plaintext", aes_key=None)
    genuine = pen.accept()
    first = pen.again(genuine)
    replay = {"attack": "altered_replay", "replay_of": genuine.id}
    second = pen.write(replay, text="卖出")
    assert second.query == first.query
    assert fields_of(second.body)["Content"] == "卖出"


@pytest.mark.parametrize("mode", ["plaintext", "compatible", "safe"])
@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize("name", [each for each in ATTACKS if each != "altered_replay"])
def test_every_attack_is_written_or_refused_with_the_reason(
    name: str, form: str, mode: str
) -> None:
    pen = Pen(mode=mode, format=form)
    why = unfit(name, configured(pen.desk.platform.accounts[APPID]))
    if why is None:
        letter = pen.write({"attack": name, "huge_bytes": 10})
        assert letter != pen.write()
    else:
        with pytest.raises(PushRefused, match="needs"):
            pen.write({"attack": name})
