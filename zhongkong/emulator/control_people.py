"""The control calls about an account's users: who there is, what they do, what reached them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from pydantic import TypeAdapter

from zhongkong.emulator import control_bodies as bodies, views
from zhongkong.emulator.control_io import Answer, BadCall, checked, read_body
from zhongkong.emulator.users import EmulatedUser

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.users import User
    from zhongkong.emulator.world import World

ACCOUNT = "/accounts/{appid}"


class People:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(self, world: World, account: Callable[[str], AccountState]) -> None:
        self._world = world
        self._account = account
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_GET, f"{ACCOUNT}/users"): self.users,
            (hdrs.METH_POST, f"{ACCOUNT}/users"): self.add_user,
            (hdrs.METH_PATCH, f"{ACCOUNT}/users/{{openid}}"): self.change_user,
            (hdrs.METH_POST, f"{ACCOUNT}/interactions"): self.interaction,
            (hdrs.METH_POST, f"{ACCOUNT}/login-codes"): self.login_code,
            (hdrs.METH_GET, f"{ACCOUNT}/messages"): self.messages,
        }

    async def users(self, http: web.Request) -> Answer:
        users = self._asked(http).users.by_openid.values()
        return {"users": [views.user(each, self._now()) for each in users]}

    async def add_user(self, http: web.Request) -> Answer:
        account = self._asked(http)
        declared = await read_body(http, EmulatedUser)
        try:
            return views.user(account.users.add(declared, self._now()), self._now())
        except ValueError as exc:
            raise BadCall(str(exc)) from None

    async def change_user(self, http: web.Request) -> Answer:
        account = self._asked(http)
        known = known_user(account, http.match_info["openid"]).profile
        changes = await read_body(http, dict[str, object])
        changed = checked(
            TypeAdapter(EmulatedUser).validate_python,
            {**asdict(known), **changes, "openid": known.openid},
        )
        facts = asdict(changed)
        return views.user(
            account.users.change(facts.pop("openid"), self._now(), **facts), self._now()
        )

    async def interaction(self, http: web.Request) -> Answer:
        account = self._asked(http)
        done = await read_body(http, bodies.UserInteraction)
        known_user(account, done.openid)
        console, now = self._world.model.console, self._now()
        return views.user(console.interaction(account.appid, done.openid, done.kind, now), now)

    async def login_code(self, http: web.Request) -> Answer:
        account = self._asked(http)
        login = await read_body(http, bodies.Login)
        known_user(account, login.openid)
        code = self._world.model.console.login_code(
            account.appid, login.openid, self._now(), kind=login.kind, scope=login.scope
        )
        return {"code": code}

    async def messages(self, http: web.Request) -> Answer:
        sent = self._asked(http).outbox.to(http.query.get("openid"))
        return {"messages": [asdict(each) for each in sent]}

    def _asked(self, http: web.Request) -> AccountState:
        return self._account(http.match_info["appid"])

    def _now(self) -> float:
        return self._world.time.now()


def known_user(account: AccountState, openid: str) -> User:
    """Raises BadCall when the account has no such user."""
    user = account.users.get(openid)
    if user is None:
        raise BadCall(f"no user {openid!r} at {account.appid}; POST …/users adds one", 404)
    return user
