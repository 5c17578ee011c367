"""The control calls that ask the ledger."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from zhongkong.emulator import control_bodies as bodies, views
from zhongkong.emulator.control_io import Answer, checked, read_body, trying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.ledger import Ledger
    from zhongkong.emulator.world import World


class Questions:
    """One method a call."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_GET, "/ledger"): self.ledger,
            (hdrs.METH_GET, "/ledger/totals"): self.totals,
            (hdrs.METH_GET, "/ledger/secrets"): self.secrets,
            (hdrs.METH_POST, "/ledger/secrets"): self.ask_secret,
            (hdrs.METH_POST, "/ledger/tokens"): self.ask_token,
        }

    async def ledger(self, http: web.Request) -> Answer:
        question = checked(bodies.LedgerQuestion.model_validate, dict(http.query))
        return views.ledger_page(self._ledger, question)

    async def totals(self, _: web.Request) -> Answer:
        return views.totals(self._ledger, self._world.model.platform.pushes)

    async def secrets(self, _: web.Request) -> Answer:
        sightings = self._ledger.sightings
        return {
            "seen": [asdict(each) for each in sightings.seen.values()],
            "watched": sightings.watched,
            "forgotten": sightings.forgotten,
        }

    async def ask_secret(self, http: web.Request) -> Answer:
        question, sightings = (
            await read_body(http, bodies.SecretQuestion),
            self._ledger.sightings,
        )
        if question.watch:
            trying(sightings.watch, question.text)
        return {
            "seen": sightings.saw(question.text),
            "watched": sightings.watched.get(question.text),
        }

    async def ask_token(self, http: web.Request) -> Answer:
        value = (await read_body(http, bodies.TokenQuestion)).value
        now, ledger = self._world.time.now(), self._ledger
        return {"alive": ledger.alive(value, now), "ends_at": ledger.ends_at(value), "now": now}

    @property
    def _ledger(self) -> Ledger:
        return self._world.model.ledger
