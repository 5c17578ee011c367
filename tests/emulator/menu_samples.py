"""A menu account at work: calls in short, and menus to send."""

from __future__ import annotations

from typing import Any

import orjson

from tests.emulator.platforms import NOW, classic, code_of, platform, post
from zhongkong.emulator.account import EmulatedAccount

CLICK = {"type": "click", "name": "买入", "key": "BUY_IN"}
VIEW = {"type": "view", "name": "收益", "url": "http://www.example.com/a?b=1&c=2"}
PARENT = {"name": "更多", "sub_button": [CLICK, VIEW]}
MINI_PROGRAM = {
    "type": "miniprogram",
    "name": "小程序",
    "url": "https://example.com",
    "appid": "wx" + "f" * 16,
    "pagepath": "pages/index",
}


class Shop:
    """An account with a token, and its menu calls."""

    def __init__(self, *accounts: EmulatedAccount, **switches: Any) -> None:
        self.model = platform(*accounts, **switches)
        self.token = classic(self.model)

    def post(self, name: str, body: object, now: float = NOW) -> dict[str, Any]:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return post(self.model, f"/cgi-bin/menu/{name}?access_token={self.token}", raw, now)

    def get(self, name: str) -> dict[str, Any]:
        return self.model.call(f"/cgi-bin/{name}", self.token, NOW)

    def create(self, *buttons: object) -> int:
        """The code of menu/create."""
        return code_of(self.post("create", {"button": buttons}))

    def add(self, rule: object, *buttons: object) -> dict[str, Any]:
        return self.post("addconditional", {"button": buttons or (CLICK,), "matchrule": rule})

    def seen_by(self, user_id: str) -> str:
        """The name of the first button that trymatch shows."""
        shown = self.post("trymatch", {"user_id": user_id})
        return str(shown["menu"]["button"][0]["name"])


def named(name: str) -> dict[str, str]:
    return {**CLICK, "name": name}
