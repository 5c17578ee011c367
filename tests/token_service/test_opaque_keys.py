from __future__ import annotations

from pathlib import Path

import pytest

from tests.token_service.settings_files import MINIMAL, loaded
from token_service.opaque import NONCE_BYTES, OpaqueClaims, OpaqueTokens
from token_service.opaque_keys import key_file, opaque_tokens
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.startup import CannotStart

STORE = "store: sqlite:///x.db\n"


def token(tokens: OpaqueTokens) -> str:
    return tokens.mint("c", "a", "access_token", now=0.0, nonce=bytes(NONCE_BYTES))


def read(tokens: OpaqueTokens, text: str) -> object:
    return tokens.verify(text, 1.0, revoked_before={})


def test_keys_are_made_beside_the_store_for_its_owner_alone(tmp_path: Path) -> None:
    first = opaque_tokens(loaded(tmp_path, STORE + MINIMAL), SystemRandomness())
    again = opaque_tokens(loaded(tmp_path, STORE + MINIMAL), SystemRandomness())
    path = tmp_path / "x.db.opaque-keys"

    assert key_file(tmp_path / "x.db") == path
    assert path.stat().st_mode & 0o777 == 0o600
    assert isinstance(read(again, token(first)), OpaqueClaims)


def test_configured_keys_go_before_the_file(tmp_path: Path) -> None:
    text = STORE + "opaque_token_keys: [{file: shop.secret}]\n" + MINIMAL
    opaque_tokens(loaded(tmp_path, text), SystemRandomness())

    assert not (tmp_path / "x.db.opaque-keys").exists()


def test_a_further_line_of_the_file_still_opens(tmp_path: Path) -> None:
    old = opaque_tokens(loaded(tmp_path, STORE + MINIMAL), SystemRandomness())
    path = tmp_path / "x.db.opaque-keys"
    path.write_text("n" * 40 + "\n" + path.read_text())
    new = opaque_tokens(loaded(tmp_path, STORE + MINIMAL), SystemRandomness())

    assert isinstance(read(new, token(old)), OpaqueClaims)
    assert not isinstance(read(old, token(new)), OpaqueClaims)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.db.opaque-keys").write_text("short\n")

    with pytest.raises(CannotStart, match=r"x\.db\.opaque-keys: key 1"):
        opaque_tokens(loaded(tmp_path, STORE + MINIMAL), SystemRandomness())
