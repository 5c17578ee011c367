from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given, strategies as st

from zhongkong.wechat.envelope import (
    AesKey,
    AesKeyRefused,
    EnvelopeFault,
    EnvelopeRefused,
    open_envelope,
    seal,
)

KEY_TEXT = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
KEY = AesKey.parse(KEY_TEXT)
OTHER_KEY = AesKey.parse("A" * 43)
APPID = "wx2c2769f8efd9abc2"
NOISE = "0123456789abcdef"

noises = st.text(st.characters(codec="ascii"), min_size=16, max_size=16)


def sealed_as_is(buffer: bytes) -> str:
    """The envelope of a buffer with whatever padding it brings itself."""
    key = b64decode(KEY_TEXT + "=")
    encryptor = Cipher(AES256(key), CBC(key[:16])).encryptor()
    return b64encode(encryptor.update(buffer) + encryptor.finalize()).decode()


def buffer_of(message: bytes, *, length: int | None = None, appid: str = APPID) -> bytes:
    size = len(message) if length is None else length
    return NOISE.encode() + size.to_bytes(4, "big") + message + appid.encode()


def padded(buffer: bytes, pad: int | None = None) -> bytes:
    missing = 32 - len(buffer) % 32
    return buffer + bytes([missing if pad is None else pad]) * missing


def fault_of(encrypted: str, key: AesKey = KEY, appid: str = APPID) -> EnvelopeFault:
    with pytest.raises(EnvelopeRefused) as refused:
        open_envelope(encrypted, key, appid)
    return refused.value.reason


# ---------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(KEY_TEXT[:-1], id="42 characters"),
        pytest.param(KEY_TEXT + "=", id="a final ="),
        pytest.param(KEY_TEXT + "H", id="44 characters"),
        pytest.param(KEY_TEXT + "\n", id="a line end behind it"),
        pytest.param(KEY_TEXT[:-1] + " ", id="a blank in it"),
        pytest.param(KEY_TEXT[:-1] + "-", id="a hyphen in it"),
        pytest.param(KEY_TEXT[:-1] + "é", id="a letter outside ASCII"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(AesKeyRefused, match="43 letters and digits") as refused:
        AesKey.parse(text)

    assert not text.strip() or text.strip() not in str(refused.value)


def test_two_spellings_of_the_same_key_are_equal() -> None:
    spellings = {AesKey.parse(KEY_TEXT[:-1] + last) for last in "EFGH"}

    assert len(spellings) == 1


def test_another_key_is_not_equal() -> None:
    assert AesKey.parse(KEY_TEXT[:-1] + "I") != KEY


def test_a_key_is_in_no_repr() -> None:
    assert repr(KEY) == "AesKey()"


# ---------------------------------------------------------------------------- sealing and opening


@given(st.text(max_size=200), st.text(max_size=40), noises)
def test_what_was_sealed_is_opened(text: str, appid: str, noise: str) -> None:
    message = text.encode()

    assert open_envelope(seal(message, KEY, appid, noise), KEY, appid) == message


@pytest.mark.parametrize("size", range(33))
def test_every_padding_from_1_to_32_is_opened(size: int) -> None:
    message = b"x" * size

    assert open_envelope(seal(message, KEY, APPID, NOISE), KEY, APPID) == message


def test_a_buffer_that_fills_its_blocks_gets_a_whole_block_of_padding() -> None:
    message = b"x" * (64 - 20 - len(APPID))

    assert len(b64decode(seal(message, KEY, APPID, NOISE))) == 96


@pytest.mark.parametrize("noise", ["", "0" * 15, "0" * 17, "é" * 16])
def test_noise_of_another_shape_seals_nothing(noise: str) -> None:
    with pytest.raises(ValueError, match="16 ASCII characters"):
        seal(b"", KEY, APPID, noise)


def test_base64_in_lines_is_opened() -> None:
    sealed = seal(b"<xml/>" * 30, KEY, APPID, NOISE)
    lines = "\r\n".join(sealed[i : i + 76] for i in range(0, len(sealed), 76)) + "\n"

    assert open_envelope(lines, KEY, APPID) == b"<xml/>" * 30


# ----------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    "encrypted",
    [
        pytest.param("****", id="other characters"),
        pytest.param("AAA", id="cut off"),
        pytest.param("A" * 43, id="without its padding"),
        pytest.param("=" * 4, id="padding alone"),
        pytest.param("A" * 42 + "==AAAA", id="padding in the middle"),
        pytest.param("AAAA AAAA", id="a blank inside"),
        pytest.param("-_" * 32, id="the URL alphabet"),
        pytest.param("你好", id="letters outside ASCII"),
        pytest.param("\ud800", id="half a character"),
    ],
)
def test_what_is_not_base64_is_refused(encrypted: str) -> None:
    assert fault_of(encrypted) is EnvelopeFault.BASE64


@pytest.mark.parametrize("size", [0, 1, 15, 17, 31, 33])
def test_what_is_no_whole_number_of_blocks_is_refused(size: int) -> None:
    assert fault_of(b64encode(b"x" * size).decode()) is EnvelopeFault.LENGTH


@pytest.mark.parametrize("pad", [0, 33, 128, 255])
def test_a_padding_outside_1_to_32_is_refused(pad: int) -> None:
    assert fault_of(sealed_as_is(padded(buffer_of(b"<xml/>"), pad))) is EnvelopeFault.PADDING


def test_a_padding_longer_than_the_buffer_is_refused() -> None:
    assert fault_of(sealed_as_is(bytes([17]) * 16)) is EnvelopeFault.PADDING


@pytest.mark.parametrize("length", [7 + len(APPID), 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1])
def test_a_message_longer_than_its_buffer_is_refused(length: int) -> None:
    buffer = padded(buffer_of(b"<xml/>", length=length))

    assert fault_of(sealed_as_is(buffer)) is EnvelopeFault.BUFFER


@pytest.mark.parametrize("rest", [0, 1, 15, 16, 19])
def test_a_buffer_without_room_for_its_length_is_refused(rest: int) -> None:
    buffer = bytes(rest) + bytes([32 - rest]) * (32 - rest)

    assert fault_of(sealed_as_is(buffer)) is EnvelopeFault.BUFFER


def test_a_message_that_ends_where_the_buffer_ends_has_no_appid() -> None:
    buffer = padded(buffer_of(b"<xml/>", length=6 + len(APPID)))

    assert fault_of(sealed_as_is(buffer)) is EnvelopeFault.APPID


@pytest.mark.parametrize("appid", ["", APPID[:-1], APPID + "0", APPID.upper(), "\ud800"])
def test_an_envelope_for_another_appid_is_refused(appid: str) -> None:
    assert fault_of(seal(b"<xml/>", KEY, APPID, NOISE), appid=appid) is EnvelopeFault.APPID


@pytest.mark.parametrize("message", [b"\xff", "你".encode()[:2], b"\xed\xa0\x80"])
def test_a_message_that_is_not_utf_8_is_refused(message: bytes) -> None:
    assert fault_of(seal(message, KEY, APPID, NOISE)) is EnvelopeFault.ENCODING


def test_another_key_gives_a_clean_refusal() -> None:
    faults = {fault_of(seal(b"x" * size, KEY, APPID, NOISE), key=OTHER_KEY) for size in range(200)}

    assert faults <= {EnvelopeFault.PADDING, EnvelopeFault.BUFFER, EnvelopeFault.APPID}


def test_a_refusal_shows_nothing_of_the_envelope() -> None:
    with pytest.raises(EnvelopeRefused) as refused:
        open_envelope(seal(b"my secret", KEY, APPID, NOISE), KEY, "wx0000000000000000")

    assert "secret" not in f"{refused.value!r}"
    assert APPID not in f"{refused.value!r}"


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_refused_as_an_envelope_and_in_no_other_way(encrypted: str) -> None:
    with pytest.raises(EnvelopeRefused):
        open_envelope(encrypted, KEY, APPID)


@given(st.integers(0, 12).flatmap(lambda n: st.binary(min_size=16 * n, max_size=16 * n)))
def test_any_blocks_are_refused_as_an_envelope_and_in_no_other_way(ciphertext: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        open_envelope(b64encode(ciphertext).decode(), KEY, APPID)


@given(st.integers(1, 12).flatmap(lambda n: st.binary(min_size=16 * n, max_size=16 * n)))
def test_any_plain_buffer_is_opened_or_refused_as_an_envelope(buffer: bytes) -> None:
    try:
        message = open_envelope(sealed_as_is(buffer), KEY, "")
    except EnvelopeRefused:
        return
    assert message.decode().encode() == message
