"""PURE: the configuration files of the parts, as they are written at each start."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from zhongkong.local_world import names
from zhongkong.local_world.plan import HOST, SECRET_VARIABLE, delay_url, ports, url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.local_world.plan import RealWeChat

_BY_NOBODY: Final = """\
interval: 12s       # the least at which the readings of a day last for a day
on_drift: correct
max_removed: 1.0    # a menu may become any other: nobody is hurt here
"""
_BY_REAL_USERS: Final = """\
interval: 5m
on_drift: report    # what somebody changes in the console stays, until the file changes
"""
"""How the menu worker goes about a menu, by who sees it."""

_HEADER: Final = (
    "# Written by `zhongkong up` at each start; what you change here is lost.\n"
    "# Copy it to begin a file of your own.\n"
)


def files(base: int, secrets: Mapping[str, str], real: RealWeChat | None = None) -> dict[str, str]:
    """The texts of the configuration files by name. `secrets` are the kept ones by theirs."""
    shared = {
        names.TOKEN_SERVICE_CONFIG: _token_service(base, secrets, real),
        names.CALLBACK_GATEWAY_CONFIG: _callback_gateway(base, secrets, real),
        names.MENU_WORKER_CONFIG: _menu_worker(base, secrets, real),
    }
    return shared if real else {names.EMULATOR_CONFIG: _emulator(base, secrets), **shared}


def _emulator(base: int, secrets: Mapping[str, str]) -> str:
    return f"""{_HEADER}
accounts:
  - appid: {names.APPID}
    secret: "{secrets[names.APP_SECRET]}"
    original_id: {names.ORIGINAL_ID}
    callback:
      url: {url(base, "callback gateway")}/callback/{names.ACCOUNT}
      token: "{secrets[names.CALLBACK_TOKEN]}"
      aes_key: "{secrets[names.CALLBACK_AES_KEY]}"
      mode: safe
    slow_handler: {{url: "{delay_url(base)}"}}
    users:
      - {{openid: {names.USER}, nickname: 小明, phone: ios}}
      - {{openid: {names.MEMBER}, nickname: 小红, phone: android, tags: [{names.MEMBERS_TAG}]}}
      - {{openid: {names.STRANGER}, nickname: 老王, phone: other, following: false}}
"""


def _token_service(base: int, secrets: Mapping[str, str], real: RealWeChat | None) -> str:
    appid = real.appid if real else names.APPID
    source = real.url if real else url(base, "emulator")
    secret = f"{{env: {SECRET_VARIABLE}}}" if real else f"{{file: {names.APP_SECRET}}}"
    return f"""{_HEADER}
listen: {HOST}:{ports(base)["token service"]}
internal_listen: {HOST}:{ports(base)["token service, internal"]}
store: sqlite:///{names.STORE}
admin_key_sha256: "{_digest(secrets[names.ADMIN_KEY])}"  # of {names.ADMIN_KEY}
grace: 3s

wechat:
  base_urls: [{json.dumps(source)}]

accounts:
  - name: {names.ACCOUNT}
    appid: "{appid}"
    secret: {secret}

clients:
  - name: orders
    key_sha256: "{_digest(secrets[names.ORDERS_KEY])}"  # of {names.ORDERS_KEY}
    accounts: [{names.ACCOUNT}]
    verbs: [read, report, force, proxy, login]
    proxy_paths: ["/cgi-bin/**"]
  - name: {names.MENUS_CLIENT}
    key_sha256: "{_digest(secrets[names.MENUS_KEY])}"  # of {names.MENUS_KEY}
    accounts: [{names.ACCOUNT}]
    verbs: [read, report, proxy]
    proxy_paths: {json.dumps(names.MENU_PATHS)}
"""


def _callback_gateway(base: int, secrets: Mapping[str, str], real: RealWeChat | None) -> str:
    appid = real.appid if real else names.APPID
    # The console shows a real one, and no call tells it.
    original_id = "" if real else f"\n    original_id: {names.ORIGINAL_ID}"
    mode = "plaintext" if real and real.plaintext else "safe"
    return f"""{_HEADER}
listen: {HOST}:{ports(base)["callback gateway"]}
internal_listen: {HOST}:{ports(base)["callback gateway, internal"]}
store: sqlite:///{names.INBOX}
admin_key_sha256: "{_digest(secrets[names.ADMIN_KEY])}"  # of {names.ADMIN_KEY}
grace: 3s
drain: 0s  # nobody here looks at readiness before sending

accounts:
  - name: {names.ACCOUNT}
    appid: "{appid}"{original_id}
    tokens: [{{file: {names.CALLBACK_TOKEN}}}]
    aes_keys: [{{file: {names.CALLBACK_AES_KEY}}}]
    mode: {mode}

targets:
  trading: {{url: "{url(base, "trading bot")}/wechat", secret: {{file: {names.TRADING_SECRET}}}}}

routes:
  - match: {{type: event, event: subscribe}}
    reply: {{type: text, content: 欢迎关注，回复 help 看看我会什么}}
  - match: {{type: text, content: "/^(help|帮助)$/i"}}
    reply: {{type: text, content: 您好，这是一条静态回复}}
  - match: {{type: event, event: CLICK, key: VIP}}
    reply: {{type: text, content: 会员专享：今日免手续费}}
  - match: {{type: event, event: CLICK, key: [BUY_IN, SELL_OUT, HOLDINGS]}}
    reply: trading
    reply_window: 15s
    fallback: {{type: text, content: 正在处理，请稍候}}
  - match: {{type: text}}
    reply: trading
    reply_window: 15s
    fallback: {{type: text, content: 正在处理，请稍候}}
"""


def _menu_worker(base: int, secrets: Mapping[str, str], real: RealWeChat | None) -> str:
    conduct = _BY_REAL_USERS if real else _BY_NOBODY
    return f"""{_HEADER}
internal_listen: {HOST}:{ports(base)["menu worker, internal"]}
store: sqlite:///{names.MENU_STORE}
admin_key_sha256: "{_digest(secrets[names.ADMIN_KEY])}"  # of {names.ADMIN_KEY}
grace: 3s

token_service:
  url: {url(base, "token service")}
  key: {{file: {names.MENUS_KEY}}}

menus: ["{names.MENU_PATTERN}"]
{conduct}"""


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
