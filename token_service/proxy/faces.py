"""The two doors of the proxy, as the application of the client listener opens them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from token_service.proxy.sdk_face import SdkFace
from token_service.proxy.service import Proxy

if TYPE_CHECKING:
    from aiohttp import web

    from token_service.clients import Caller
    from token_service.directory import Directory
    from token_service.proxy.parts import ProxyParts
    from token_service.proxy.tally import ProxyTallies

_NATIVE: Final = re.compile(r"/v1/accounts/(?P<account>[^/?]+)/wechat(?P<path>/[^?]*)")
_OURS: Final = re.compile(r"/v1(?:[/?]|\Z)|/openapi\.json(?:\?|\Z)")


class Faces:
    """Made once; `replace` takes over changed accounts and clients, `close` ends all calls."""

    def __init__(self, parts: ProxyParts) -> None:
        self._parts = parts
        self._proxy = Proxy(parts)
        self.sdk = SdkFace(parts, self._proxy).handle
        """Answers anything outside /v1, in WeChat's words."""

    @property
    def parts(self) -> ProxyParts:
        return self._parts

    @property
    def tallies(self) -> ProxyTallies:
        return self._parts.tallies

    @staticmethod
    def is_sdk(raw_path: str) -> bool:
        """Whether a request target is outside of what is ours."""
        return _OURS.match(raw_path) is None

    @staticmethod
    def native_path(raw_path: str) -> tuple[str, str] | None:
        """Account and path of a call through `/v1/accounts/{account}/wechat/{path}`."""
        match = _NATIVE.match(raw_path)
        return None if match is None else (match["account"], match["path"])

    async def native(
        self, request: web.Request, caller: Caller, account: str, path: str
    ) -> web.StreamResponse:
        """Pass a call on for a client that showed its key. Raises Problem."""
        return await self._proxy.native(request, caller, account, path)

    def replace(self, directory: Directory) -> None:
        """Know these accounts and clients from the next request on."""
        self._parts.replace(directory)
        self._proxy.forget()

    def close(self) -> None:
        """Cut off what is under way to WeChat."""
        self._parts.close()
