"""Configuration files for tests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from callback_gateway.settings import ENV_PREFIX, GatewaySettings
from zhongkong.runtime.settings import Loaded, load

ADMIN = "admin-key-0123456789abcdefghij"
ADMIN_SHA = hashlib.sha256(ADMIN.encode()).hexdigest()
TOKEN = "Tok3nOfTheShop"
OLD_TOKEN = "0ldT0ken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SIGNING = "whsec_" + base64.b64encode(b"trading-secret-0123456789abcdef").decode()
AUDIT_SIGNING = "whsec_" + base64.b64encode(b"audit-secret-0123456789abcdefgh").decode()

SECRETS = {
    "token": TOKEN,
    "old_token": OLD_TOKEN,
    "aes": AES_KEY,
    "signing": SIGNING,
    "audit_signing": AUDIT_SIGNING,
}

MINIMAL = """\
accounts:
  - name: shop
    appid: wx0123456789abcdef
    tokens: [{file: token}]
    aes_keys: [{file: aes}]
targets:
  trading: {url: "http://trading.internal/wechat", secret: {file: signing}}
  audit: {url: "https://audit.example/x", secret: {file: audit_signing}}
routes:
  - match: {type: event, event: CLICK, key: "BUY_*"}
    reply: trading
    reply_window: 15s
    fallback: {type: text, content: 正在处理}
  - match: {type: text, content: "/^help$/i"}
    reply: {type: text, content: 您好}
  - match: {}
    notify: audit
"""


def write(folder: Path, text: str = MINIMAL) -> Path:
    """The file, with the secrets that it names beside it."""
    for name, value in SECRETS.items():
        (folder / name).write_text(value + "\n")
    path = folder / "callback_gateway.yaml"
    path.write_text(text)
    return path


def loaded(
    folder: Path, text: str = MINIMAL, environ: Mapping[str, str] | None = None
) -> Loaded[GatewaySettings]:
    return load(GatewaySettings, write(folder, text), environ or {}, prefix=ENV_PREFIX)
