"""Configuration files for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from token_service.settings import ENV_PREFIX, TokenServiceSettings
from zhongkong.runtime.settings import Loaded, load

SECRET = "app-secret-0123456789abcdef-secret"
SHA = "a" * 64

MINIMAL = f"""\
accounts:
  - name: shop
    appid: wx0123456789abcdef
    secret: {{file: shop.secret}}
clients:
  - name: orders
    key_sha256: {SHA}
    accounts: [shop]
"""


def write(folder: Path, text: str = MINIMAL) -> Path:
    """The file, with the secret that it names beside it."""
    (folder / "shop.secret").write_text(SECRET + "\n")
    path = folder / "token_service.yaml"
    path.write_text(text)
    return path


def loaded(
    folder: Path, text: str = MINIMAL, environ: Mapping[str, str] | None = None
) -> Loaded[TokenServiceSettings]:
    return load(TokenServiceSettings, write(folder, text), environ or {}, prefix=ENV_PREFIX)
