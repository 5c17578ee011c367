"""A platform to look at: one account, a fixed moment, and the calls in short."""

from __future__ import annotations

from typing import Any

from zhongkong.emulator.account import EmulatedAccount
from zhongkong.emulator.allowlist import AllowlistSettings
from zhongkong.emulator.model import WeChatModel
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.request import ApiRequest
from zhongkong.emulator.users import EmulatedUser

APPID = "wxaaaaaaaaaaaaaaaa"
SECRET = "5ec2e7" + "a" * 26
OTHER_APPID = "wxbbbbbbbbbbbbbbbb"
OTHER_SECRET = "5ec2e7" + "b" * 26
PROBE = "/cgi-bin/get_api_domain_ip"
NOW = 1_716_200_000.0  # 2024-05-20 18:13:20 at UTC+8


def platform(*accounts: EmulatedAccount, seed: int = 1, **switches: Any) -> WeChatModel:
    """A model with the account APPID, or with those given; `switches` are parameters."""
    return WeChatModel(accounts or (account(),), Parameters(**switches), seed)


def account(appid: str = APPID, secret: str = SECRET, **facts: Any) -> EmulatedAccount:
    return EmulatedAccount(appid=appid, secret=secret, **facts)


def listed(*addresses: str) -> AllowlistSettings:
    return AllowlistSettings(enabled=True, addresses=addresses)


def classic(model: WeChatModel, now: float = NOW) -> str:
    """A classic token that was just minted."""
    return str(model.token(APPID, SECRET, now)["access_token"])


def stable(model: WeChatModel, now: float = NOW, *, forced: bool = False) -> str:
    """What a stable call gives."""
    return str(model.stable_token(APPID, SECRET, forced, now)["access_token"])


def code_of(answer: dict[str, Any] | None) -> int:
    assert answer is not None
    return int(answer.get("errcode", 0))


def probe(model: WeChatModel, token: str, now: float) -> int:
    """The code of a harmless business call."""
    return code_of(model.call(PROBE, token, now))


def get(model: WeChatModel, target: str, now: float = NOW, **facts: Any) -> dict[str, Any]:
    answer = model.perform(ApiRequest.from_wire("GET", target, peer="127.0.0.1", **facts), now)
    assert answer is not None
    return answer


def post(model: WeChatModel, target: str, body: bytes, now: float = NOW) -> dict[str, Any]:
    request = ApiRequest.from_wire("POST", target, peer="127.0.0.1", body=body)
    answer = model.perform(request, now)
    assert answer is not None
    return answer


OPENID = "oABCD1234567890abcdefghijklm"


def user(openid: str = OPENID, **facts: Any) -> EmulatedUser:
    return EmulatedUser(openid=openid, **facts)


def form(content: bytes, filename: str = "a.jpg", **fields: str) -> tuple[str, bytes]:
    """Content-Type and body of a form with a file in `media`."""
    texts = "".join(
        f'--bound\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    file = f'--bound\r\nContent-Disposition: form-data; name="media"; filename="{filename}"\r\n'
    head = f"{texts}{file}Content-Type: application/octet-stream\r\n\r\n".encode()
    return "multipart/form-data; boundary=bound", head + content + b"\r\n--bound--\r\n"


def send_form(
    model: WeChatModel, target: str, sent: tuple[str, bytes], now: float = NOW
) -> dict[str, Any]:
    content_type, body = sent
    request = ApiRequest.from_wire(
        "POST", target, peer="127.0.0.1", body=body, headers=(("Content-Type", content_type),)
    )
    answer = model.perform(request, now)
    assert answer is not None
    return answer
