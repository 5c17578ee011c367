"""The control calls under /_emulator/: time, faults, accounts, callbacks, tokens, ledger.

JSON in, JSON out. A bad call is answered with a `detail` that says what would be right, and changes
nothing; the calls themselves are described in docs/emulator.md.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs, web
from pydantic import TypeAdapter

from zhongkong.emulator import control_bodies as bodies, views
from zhongkong.emulator.allowlist import as_address
from zhongkong.emulator.callbacks.control_books import Books
from zhongkong.emulator.callbacks.control_configuration import Configurations
from zhongkong.emulator.callbacks.control_pushes import Pushes
from zhongkong.emulator.control_accounts import Accounts
from zhongkong.emulator.control_handler_delay import HandlerDelays
from zhongkong.emulator.control_io import Answer, BadCall, as_json, checked, read_body, trying
from zhongkong.emulator.control_ledger import Questions
from zhongkong.emulator.control_menus import MenuCalls
from zhongkong.emulator.control_people import People
from zhongkong.emulator.faults import Fault
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.phone.control_media import Media
from zhongkong.emulator.phone.control_wire import Wire
from zhongkong.emulator.phone.origin import foreign
from zhongkong.emulator.phone.wiretap import Wiretap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.callbacks.office import PostOffice
    from zhongkong.emulator.model import WeChatModel
    from zhongkong.emulator.world import World

ROOT: Final = "/_emulator"


class Control:
    """One method a call. They act on the model at once, between two requests."""

    def __init__(self, world: World, office: PostOffice, *, from_anywhere: bool) -> None:
        self._world = world
        self._office = office
        self._from_anywhere = from_anywhere
        tap = Wiretap(world)
        office.watchers.append(tap)
        self._handler_delays = HandlerDelays(office.postman, self._account)
        self._calls: dict[
            tuple[str, str], Callable[[web.Request], Awaitable[Answer | web.Response]]
        ] = {
            (hdrs.METH_GET, ""): self.index,
            (hdrs.METH_GET, "/clock"): self.clock,
            (hdrs.METH_POST, "/clock"): self.set_clock,
            (hdrs.METH_GET, "/faults"): self.faults,
            (hdrs.METH_POST, "/faults"): self.add_fault,
            (hdrs.METH_DELETE, "/faults"): self.clear_faults,
            (hdrs.METH_DELETE, "/faults/{id}"): self.remove_fault,
            **Accounts(world, self._account).calls,
            **self._handler_delays.calls,
            **People(world, self._account).calls,
            **MenuCalls(world, self._account).calls,
            **Configurations(office, self._account).calls,
            **Pushes(world, office, self._account).calls,
            **Books(office, self._account).calls,
            **Wire(world, office, tap).calls,
            **Media(world, self._account).calls,
            (hdrs.METH_POST, "/tokens/kill"): self.kill,
            (hdrs.METH_POST, "/foreign-refresh"): self.foreign_refresh,
            (hdrs.METH_GET, "/parameters"): self.parameters,
            (hdrs.METH_PATCH, "/parameters"): self.change_parameters,
            **Questions(world).calls,
            (hdrs.METH_POST, "/reset"): self.reset,
        }

    def mount(self, app: web.Application) -> None:
        for (method, path), call in self._calls.items():
            app.router.add_route(method, ROOT + path, self._guarded(call))
        app.router.add_route(hdrs.METH_ANY, ROOT, self._guarded(self.unknown))
        app.router.add_route(hdrs.METH_ANY, ROOT + "/{tail:.*}", self._guarded(self.unknown))

    # ------------------------------------------------------------------ time

    async def clock(self, _: web.Request) -> Answer:
        return views.clock(self._world.time)

    async def set_clock(self, http: web.Request) -> Answer:
        change, time = await read_body(http, bodies.ClockChange), self._world.time
        if change.frozen is not None:
            (time.freeze if change.frozen else time.thaw)()
        if change.offset_s is not None:
            trying(time.shift, change.offset_s)
        if change.advance_s is not None:
            trying(time.advance, change.advance_s)
        return views.clock(time)

    # ------------------------------------------------------------------ faults

    async def faults(self, _: web.Request) -> Answer:
        return {"faults": views.faults(self._model.faults)}

    async def add_fault(self, http: web.Request) -> Answer:
        fault = await read_body(http, Fault)
        return {"id": trying(self._model.faults.add, fault)}

    async def clear_faults(self, _: web.Request) -> Answer:
        self._model.faults.clear()
        return {"faults": []}

    async def remove_fault(self, http: web.Request) -> Answer:
        fault_id = http.match_info["id"]
        if not self._model.faults.remove(fault_id):
            raise BadCall(f"no fault {fault_id!r} is in force; GET {ROOT}/faults lists them", 404)
        return {"removed": fault_id}

    # ------------------------------------------------------------------ tokens

    async def kill(self, http: web.Request) -> Answer:
        wish = await read_body(http, bodies.Kill)
        appid, now = self._one_appid(wish.appid), self._world.time.now()
        killed = self._model.console.kill_token(appid, now, wish.family, wish.which)
        return {"killed": [each.value for each in killed]}

    async def foreign_refresh(self, http: web.Request) -> Answer:
        wish = await read_body(http, bodies.ForeignRefresh)
        appid, now = self._one_appid(wish.appid), self._world.time.now()
        value = self._model.console.foreign_refresh(appid, now, wish.kind, spends=wish.spends)
        return {"access_token": value}

    # ------------------------------------------------------------------ parameters

    async def parameters(self, _: web.Request) -> Answer:
        return asdict(self._model.parameters)

    async def change_parameters(self, http: web.Request) -> Answer:
        changes = await read_body(http, dict[str, Any])
        merged = {**asdict(self._model.parameters), **changes}
        self._model.parameters = checked(TypeAdapter(Parameters).validate_python, merged)
        return asdict(self._model.parameters)

    # ------------------------------------------------------------------ the rest

    async def reset(self, _: web.Request) -> Answer:
        await self._office.stop_all()
        await self._handler_delays.forget(self._model.accounts.values())
        self._world.reset()
        return {"accounts": list(self._model.accounts)}

    async def index(self, _: web.Request) -> Answer:
        return {"calls": [f"{method} {ROOT}{path}" for method, path in self._calls]}

    async def unknown(self, http: web.Request) -> Answer:
        raise BadCall(f"there is no {http.method} {http.path}; GET {ROOT} lists the calls", 404)

    @property
    def _model(self) -> WeChatModel:
        return self._world.model

    def _account(self, appid: str) -> AccountState:
        state = self._model.accounts.get(appid)
        if state is None:
            raise BadCall(f"no account {appid!r} here; GET {ROOT}/accounts lists them", 404)
        return state

    def _one_appid(self, appid: str | None) -> str:
        if appid is not None:
            return self._account(appid).appid
        if len(self._model.accounts) != 1:
            raise BadCall("appid: say which account, there isn't exactly one")
        return next(iter(self._model.accounts))

    def _guarded(
        self, call: Callable[[web.Request], Awaitable[Answer | web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(http: web.Request) -> web.Response:
            try:
                self._refuse_strangers(http)
                made = await call(http)
                return made if isinstance(made, web.Response) else as_json(made, 200)
            except BadCall as bad:
                return as_json({"detail": bad.detail}, bad.status)

        return answer

    def _refuse_strangers(self, http: web.Request) -> None:
        address = as_address(http.remote or "")
        if not self._from_anywhere and (address is None or not address.is_loopback):
            raise BadCall(
                "control calls are answered on this machine only; start the emulator with "
                "--control-from-anywhere to allow others",
                403,
            )
        why = foreign(http.host, http.headers.get(hdrs.ORIGIN), any_name=self._from_anywhere)
        if why is not None:
            raise BadCall(why, 403)
