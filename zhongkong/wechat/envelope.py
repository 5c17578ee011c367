"""The AES envelope around a message: opening and sealing. PURE.

Layout: 16 bytes of noise, the length of the message as 4 bytes big-endian, the message, the appid,
and PKCS#7 padding to blocks of 32. Signatures live in `signature`, the XML or JSON around the
ciphertext in `push`. Source: WeChat's documentation, "Message encryption and decryption".
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64, a2b_base64
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

_KEY_TEXT: Final = re.compile(r"[A-Za-z0-9+/]{43}")
_CIPHER_BLOCK: Final = 16
_PADDED_BLOCK: Final = 32
_NOISE: Final = 16
_HEADER: Final = 20


class AesKeyRefused(ValueError):
    """The text is no EncodingAESKey. The message says what one looks like and shows nothing."""


class EnvelopeFault(StrEnum):
    """What is wrong with an envelope, in the order of the checks."""

    BASE64 = "base64"
    LENGTH = "length"
    PADDING = "padding"
    BUFFER = "buffer"
    APPID = "appid"
    ENCODING = "encoding"


_SAYS: Final = {
    EnvelopeFault.BASE64: "the ciphertext is not base64",
    EnvelopeFault.LENGTH: "the ciphertext is empty or no whole number of AES blocks",
    EnvelopeFault.PADDING: "the padding is not 1 to 32 bytes; probably another EncodingAESKey",
    EnvelopeFault.BUFFER: "the message is longer than what was sent; probably another key",
    EnvelopeFault.APPID: "the envelope was sealed for another appid",
    EnvelopeFault.ENCODING: "the message is not UTF-8",
}


class EnvelopeRefused(ValueError):
    """An envelope that holds no message for us. Its text shows nothing of the contents."""

    def __init__(self, reason: EnvelopeFault) -> None:
        super().__init__(_SAYS[reason])
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AesKey:
    """An EncodingAESKey, made ready for work. Two spellings of the same 32 bytes are equal."""

    _key: bytes = field(repr=False)
    _cipher: Cipher[CBC] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> AesKey:
        """Read the 43 characters that WeChat's console shows. Raises AesKeyRefused.

        They carry 258 bits, and real keys have either value in the two that are left over, so the
        last character may be any of four that mean the same key.
        """
        if not _KEY_TEXT.fullmatch(text):
            raise AesKeyRefused(
                "an EncodingAESKey is exactly 43 letters and digits: copy it from the console's "
                "server settings, without spaces and without a final ="
            )
        key = b64decode(text + "=")
        return cls(key, Cipher(AES256(key), CBC(key[:_CIPHER_BLOCK])))

    def encrypt(self, padded: bytes) -> bytes:
        encryptor = self._cipher.encryptor()
        return encryptor.update(padded) + encryptor.finalize()

    def decrypt(self, ciphertext: bytes) -> bytes:
        decryptor = self._cipher.decryptor()
        return decryptor.update(ciphertext) + decryptor.finalize()


def open_envelope(encrypted: str, key: AesKey, appid: str) -> bytes:
    """The message, valid UTF-8. Raises EnvelopeRefused, and nothing but that."""
    message = unseal(encrypted, key, appid)
    try:
        message.decode()
    except UnicodeDecodeError:
        raise EnvelopeRefused(EnvelopeFault.ENCODING) from None
    return message


def unseal(encrypted: str, key: AesKey, appid: str) -> bytes:
    """The message, of whatever bytes. Raises EnvelopeRefused, and nothing but that.

    The signature has to be checked before: this finds accidents (another key, another account),
    not forgeries.
    """
    buffer = key.decrypt(_ciphertext(encrypted))
    pad = buffer[-1]
    end = len(buffer) - pad
    # A generic PKCS#7 check for blocks of 16 would refuse the values 17 to 32.
    if not 1 <= pad <= _PADDED_BLOCK or end < 0:
        raise EnvelopeRefused(EnvelopeFault.PADDING)
    start_of_appid = _HEADER + int.from_bytes(buffer[_NOISE:_HEADER], "big")
    if end < start_of_appid:
        raise EnvelopeRefused(EnvelopeFault.BUFFER)
    if buffer[start_of_appid:end] != appid.encode("utf-8", "surrogatepass"):
        raise EnvelopeRefused(EnvelopeFault.APPID)
    return buffer[_HEADER:start_of_appid]


def seal(message: bytes, key: AesKey, appid: str, noise: str) -> str:
    """The base64 text of a message's envelope. `noise`: 16 ASCII characters, new for each."""
    if len(noise) != _NOISE or not noise.isascii():
        raise ValueError("the noise of an envelope is 16 ASCII characters")
    header = noise.encode() + len(message).to_bytes(_HEADER - _NOISE, "big")
    buffer = header + message + appid.encode()
    pad = _PADDED_BLOCK - len(buffer) % _PADDED_BLOCK
    return b64encode(key.encrypt(buffer + bytes([pad]) * pad)).decode()


def _ciphertext(encrypted: str) -> bytes:
    if "\n" in encrypted:
        # Some encoders break base64 into lines; nothing else may stand between its characters.
        encrypted = encrypted.replace("\r\n", "").replace("\n", "")
    try:
        ciphertext = a2b_base64(encrypted, strict_mode=True)
    except (NotBase64, ValueError):
        raise EnvelopeRefused(EnvelopeFault.BASE64) from None
    if not ciphertext or len(ciphertext) % _CIPHER_BLOCK:
        raise EnvelopeRefused(EnvelopeFault.LENGTH)
    return ciphertext
