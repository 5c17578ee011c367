"""The control calls about where callbacks go, and WeChat's verification of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from pydantic import TypeAdapter

from zhongkong.emulator.callbacks import bodies, views
from zhongkong.emulator.callbacks.configuration import CallbackSettings
from zhongkong.emulator.control_io import Answer, BadCall, checked, read_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.callbacks.office import PostOffice

CALLBACK: Final = "/accounts/{appid}/callback"


class Configurations:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(self, office: PostOffice, account: Callable[[str], AccountState]) -> None:
        self._office = office
        self._account = account
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_GET, CALLBACK): self.callback,
            (hdrs.METH_PUT, CALLBACK): self.put_callback,
            (hdrs.METH_DELETE, CALLBACK): self.delete_callback,
            (hdrs.METH_POST, f"{CALLBACK}/verification"): self.verify,
        }

    async def callback(self, http: web.Request) -> Answer:
        return {"callback": views.callback(self._asked(http).callback)}

    async def put_callback(self, http: web.Request) -> Answer:
        account = self._asked(http)
        change = await read_body(http, bodies.CallbackChange)
        said = change.model_dump(exclude={"verify"})
        settings = checked(TypeAdapter(CallbackSettings).validate_python, said)
        if change.verify:
            await self._verify(account, settings, otherwise="the old configuration stays")
        else:
            account.callback.verification = None
        account.callback.put(settings)
        return {"callback": views.callback(account.callback)}

    async def delete_callback(self, http: web.Request) -> Answer:
        account = self._asked(http)
        account.callback.clear()
        return {"callback": None}

    async def verify(self, http: web.Request) -> Answer:
        account = self._asked(http)
        settings = account.callback.settings
        if settings is None:
            raise BadCall(f"{account.appid} has no callback; PUT …/callback sets one", 404)
        await self._verify(account, settings, otherwise="the configuration stays")
        return {"callback": views.callback(account.callback)}

    async def _verify(
        self, account: AccountState, settings: CallbackSettings, *, otherwise: str
    ) -> None:
        verification = await self._office.verify(settings)
        account.callback.verification = verification
        if not verification.passed:
            raise BadCall(f"the URL verification failed, {otherwise}: {verification.detail}", 409)

    def _asked(self, http: web.Request) -> AccountState:
        return self._account(http.match_info["appid"])
