"""A media account at work: calls in short."""

from __future__ import annotations

from typing import Any

import orjson

from tests.emulator.menu_samples import Shop
from tests.emulator.platforms import NOW, post, send_form
from zhongkong.emulator.request import ApiRequest


class Shelf(Shop):
    """The calls of media and material, in short."""

    def upload(self, kind: str, sent: tuple[str, bytes], now: float = NOW) -> dict[str, Any]:
        return self.send(f"media/upload?type={kind}", sent, now)

    def keep(self, kind: str, sent: tuple[str, bytes]) -> dict[str, Any]:
        return self.send(f"material/add_material?type={kind}", sent, NOW)

    def send(self, target: str, sent: tuple[str, bytes], now: float = NOW) -> dict[str, Any]:
        joined = "&" if "?" in target else "?"
        target = f"/cgi-bin/{target}{joined}access_token={self.token}"
        return send_form(self.model, target, sent, now)

    def ask(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        target = f"/cgi-bin/material/{name}?access_token={self.token}"
        return post(self.model, target, orjson.dumps(body))

    def file(self, media_id: str, now: float = NOW, *, permanent: bool = False) -> Any:
        if permanent:
            request = ApiRequest.from_wire(
                "POST",
                f"/cgi-bin/material/get_material?access_token={self.token}",
                peer="127.0.0.1",
                body=orjson.dumps({"media_id": media_id}),
            )
        else:
            query = f"access_token={self.token}&media_id={media_id}"
            request = ApiRequest.from_wire("GET", f"/cgi-bin/media/get?{query}", peer="127.0.0.1")
        return self.model.attend(request, now)
