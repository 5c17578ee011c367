"""Gateways on virtual time, and a WeChat that sends its callbacks to them as it does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from callback_gateway.accounts import Account, Mode
from callback_gateway.answers import Pace
from callback_gateway.batching import Batcher
from callback_gateway.intake import Intake
from callback_gateway.process import Process
from callback_gateway.replies import Replies
from callback_gateway.routes import Ask, Match, Route, Routes, Static
from callback_gateway.rules import Rules
from tests.callback_gateway.delivery.world import Replica, World
from tests.simulation.chance import SeededRandomness
from zhongkong.runtime.problems import Problem
from zhongkong.wechat.envelope import AesKey, open_envelope, seal
from zhongkong.wechat.passive_reply import TextReply
from zhongkong.wechat.push import BodyFormat, encrypted_part, parse, push_envelope, render
from zhongkong.wechat.signature import signature

KEY = AesKey.parse("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
TOKEN = "spamtest"
SHOP = Account(
    name="shop",
    appid="wx0123456789abcdef",
    original_id="gh_shop",
    tokens=(TOKEN,),
    aes_keys=(KEY,),
    mode=Mode.SAFE,
)
NOTIFY = Route(Match(), notify=("audit",))


def asks(window_s: float = 4.5, *, fallback: str | None = "请稍候") -> Route:
    """A route that asks the target crm."""
    said = None if fallback is None else TextReply(fallback)
    return Route(Match(), reply=Ask("crm"), reply_window_s=window_s, fallback=said)


def static(text: str) -> Route:
    return Route(Match(), reply=Static(TextReply(text)))


@dataclass
class Seen:
    """What an observer was told."""

    outcomes: list[str] = field(default_factory=list)
    forgeries: list[str] = field(default_factory=list)
    retries: int = 0
    joins: int = 0
    duplicates: int = 0
    old: list[str] = field(default_factory=list)
    skews: list[float] = field(default_factory=list)

    def answered(self, account: str, outcome: str, took_s: float) -> None:
        self.outcomes.append(outcome)

    def forged(self, account: str, reason: str) -> None:
        self.forgeries.append(reason)

    def retried(self, account: str) -> None:
        self.retries += 1

    def joined(self, account: str) -> None:
        self.joins += 1

    def duplicate(self, account: str) -> None:
        self.duplicates += 1

    def old_key_used(self, account: str, what: str) -> None:
        self.old.append(what)

    def clock_skew(self, account: str, seconds: float) -> None:
        self.skews.append(seconds)


@dataclass(frozen=True)
class Said:
    """An answer as WeChat got it: `text` when it was a text reply, `body` as it came."""

    status: int
    body: bytes
    text: str | None
    took_s: float


class Gateway:
    """One replica: an intake in front of a dispatcher."""

    def __init__(self, world: World, replica: Replica, rules: Rules, owner: str) -> None:
        self.seen = Seen()
        self.process = Process(owner, world.clock, SeededRandomness(7))
        self.store_is_away = False
        batcher = Batcher(world.inbox, self.process, replica.tasks)
        replies = Replies(
            world.inbox,
            replica.board,
            replica.dispatcher,
            self.seen,
            process=self.process,
            pace=Pace(),
            joinable=lambda: not self.store_is_away,
        )
        self.intake = Intake(
            rules,
            batcher,
            replies,
            replica.dispatcher,
            self.seen,
            pace=Pace(),
            freshness_s=600,
            clock=world.clock,
        )


class Platform:
    """WeChat: sends to each of its gateways in turn."""

    def __init__(self, world: World, gateways: list[Gateway]) -> None:
        self.world = world
        self.gateways = gateways
        self._turns = itertools.cycle(gateways)

    async def send(
        self,
        fields: Mapping[str, Any] | bytes,
        *,
        gateway: Gateway | None = None,
        give_up_s: float = 5.0,
        token: str = TOKEN,
        timestamp: int | None = None,
        account: str = "shop",
    ) -> Said | None:
        """One try. None when the connection was closed, or held for longer than WeChat waits."""
        content = fields if isinstance(fields, bytes) else render(fields, BodyFormat.XML)
        sealed = seal(content, KEY, SHOP.appid, "0123456789abcdef")
        now = str(int(self.world.clock.now()) if timestamp is None else timestamp)
        words = (
            f"timestamp={now}&nonce=n1&encrypt_type=aes"
            f"&msg_signature={signature(token, now, 'n1', sealed)}"
        )
        body = push_envelope("gh_shop", sealed, BodyFormat.XML)
        return await self.post(words, body, gateway=gateway, give_up_s=give_up_s, account=account)

    async def post(
        self,
        query: str,
        body: bytes,
        *,
        gateway: Gateway | None = None,
        give_up_s: float = 5.0,
        account: str = "shop",
    ) -> Said | None:
        """Any request."""
        chosen = gateway or next(self._turns)
        began = self.world.clock.monotonic()
        request = _request(f"/callback/{account}?{query}", body, account)
        handling = asyncio.ensure_future(chosen.intake.receive(request))
        done, _ = await asyncio.wait({handling}, timeout=give_up_s)
        if not done:
            # The handler goes on, as it does behind a listener.
            return None
        took_s = round(self.world.clock.monotonic() - began, 3)
        try:
            response = handling.result()
        except Problem as problem:
            return Said(problem.status, b"", None, took_s)
        if request.transport is not None and request.transport.abort.called:  # type: ignore[attr-defined]
            return None
        return _said(response, took_s)

    async def deliver(self, fields: Mapping[str, Any], tries: int = 3) -> Said | None:
        """One callback, as often as WeChat sends it, 5 s apart: what the user gets in the end."""
        for _ in range(tries):
            began = self.world.clock.monotonic()
            said = await self.send(fields)
            if said is not None and said.status == 200:
                return said
            await asyncio.sleep(max(5.0 - (self.world.clock.monotonic() - began), 0.0))
        return None


@asynccontextmanager
async def platform(*routes: Route, replicas: int = 1) -> AsyncIterator[Platform]:
    """WeChat and gateways on one inbox with the targets crm and audit."""
    world = World("crm", "audit")
    rules = Rules({"shop": SHOP}, Routes(routes), world.targets)
    async with AsyncExitStack() as stack:
        gateways = [
            Gateway(world, await stack.enter_async_context(world.replica(name)), rules, name)
            for name in (f"replica-{number}" for number in range(replicas))
        ]
        yield Platform(world, gateways)


def text(content: str = "买入", *, user: str = "oUser", msg_id: int = 1) -> dict[str, Any]:
    """A message of a user."""
    return {
        "ToUserName": "gh_shop",
        "FromUserName": user,
        "CreateTime": 1790000000,
        "MsgType": "text",
        "Content": content,
        "MsgId": str(msg_id),
    }


def event(name: str, key: str = "", *, user: str = "oUser") -> dict[str, Any]:
    """An event of a user, always in the same second."""
    return {
        "ToUserName": "gh_shop",
        "FromUserName": user,
        "CreateTime": 1790000000,
        "MsgType": "event",
        "Event": name,
        "EventKey": key,
    }


def _request(target: str, body: bytes, account: str) -> web.Request:
    reader = StreamReader(BaseProtocol(asyncio.get_running_loop()), 2**20)
    reader.feed_data(body)
    reader.feed_eof()
    return make_mocked_request(
        "POST", target, payload=reader, match_info={"account": account}, transport=Mock()
    )


def _said(response: web.StreamResponse, took_s: float) -> Said:
    body = bytes(response.body) if isinstance(response, web.Response) else b"success"  # type: ignore[arg-type]
    if not body.startswith(b"<xml>"):
        return Said(response.status, body, None, took_s)
    content = open_envelope(encrypted_part(body, BodyFormat.XML), KEY, SHOP.appid)
    said = parse(content, BodyFormat.XML)
    assert (said["ToUserName"], said["FromUserName"]) == ("oUser", "gh_shop")
    return Said(response.status, body, said.get("Content"), took_s)
