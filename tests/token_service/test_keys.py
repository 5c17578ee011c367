from __future__ import annotations

import hashlib

import yaml

from token_service.keys import describe_key, new_key
from zhongkong.runtime.clock import SystemRandomness


def test_a_key_has_32_letters_and_digits_and_comes_only_once() -> None:
    keys = {new_key(SystemRandomness()) for _ in range(100)}

    assert len(keys) == 100
    assert all(len(key) == 32 and key.isalnum() and key.isascii() for key in keys)


def test_the_entry_fits_the_key_and_can_be_pasted() -> None:
    text = describe_key("orders", SystemRandomness())
    key = text.splitlines()[0]
    (entry,) = yaml.safe_load(text.removeprefix(key))

    assert entry == {"name": "orders", "key_sha256": hashlib.sha256(key.encode()).hexdigest()}
