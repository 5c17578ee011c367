"""What a test has before it: the phone page, and the emulator behind it in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp.test_utils import TestServer

from tests.browser.views import PhoneView
from tests.emulator.platforms import SECRET
from zhongkong.emulator.world import World


@dataclass
class Desk(PhoneView):
    """The page of one emulator, which ends with its desk."""

    world: World
    server: TestServer
    screenshots: Path
    appid: str

    async def begin(self, *, has_menu: bool) -> None:
        await self.open(str(self.server.make_url("/")), has_menu=has_menu)

    async def end(self) -> None:
        try:
            self.hear_no_more()
        finally:
            await self.server.close()

    async def picture(self, name: str) -> None:
        await self.save(self.screenshots / f"{name}.png")

    async def control(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return await self._call(method, f"/_emulator{path}", body)

    async def wechat(self, path: str, body: object) -> dict[str, Any]:
        """Call WeChat's API as the account does."""
        query = f"grant_type=client_credential&appid={self.appid}&secret={SECRET}"
        token = (await self._call("GET", f"/cgi-bin/token?{query}"))["access_token"]
        joint = "&" if "?" in path else "?"
        done = await self._call("POST", f"{path}{joint}access_token={token}", body)
        assert done.get("errcode", 0) == 0, done
        return done

    async def picture_material(self, png: bytes) -> str:
        """Keep a picture as permanent material; its media id."""
        form = aiohttp.FormData()
        form.add_field("media", png, filename="poster.png", content_type="image/png")
        kept = await self.wechat("/cgi-bin/material/add_material?type=image", form)
        return str(kept["media_id"])

    async def make_menu(self, *buttons: dict[str, Any]) -> None:
        await self.wechat("/cgi-bin/menu/create", {"button": list(buttons)})

    async def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        url = str(self.server.make_url("")).rstrip("/") + path
        # WeChat refuses what Python's own JSON writes as \\uXXXX.
        ready = body is None or isinstance(body, aiohttp.FormData)
        data = body if ready else orjson.dumps(body)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=data) as answer,
        ):
            return dict(await answer.json(content_type=None))
