"""WeChat itself, without a network: pure, synchronous, every method takes `now` and the peer.

The HTTP face and the simulation drive the same model. Whatever they do, one request at a time goes
through `perform`, which leaves its trace in the ledger and the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from zhongkong.emulator.console import Console
from zhongkong.emulator.contents import FileAnswer
from zhongkong.emulator.endpoint import Visit
from zhongkong.emulator.endpoints import SERVED
from zhongkong.emulator.endpoints.credentials import GRANT_TYPE
from zhongkong.emulator.faults import UNTROUBLED, Course, Fault, FaultPlan, ForeignKind
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.platform import Platform
from zhongkong.emulator.recorder import Recorder
from zhongkong.emulator.refusal import Payload, Refusal, failure
from zhongkong.emulator.request import ApiRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhongkong.emulator.account import AccountState, EmulatedAccount
    from zhongkong.emulator.endpoint import Answer
    from zhongkong.emulator.ledger import Ledger
    from zhongkong.emulator.menus import MenuChange


class WeChatModel:
    """The platform, its console and its faults. `seed` decides every draw."""

    def __init__(
        self,
        accounts: Sequence[EmulatedAccount] = (),
        parameters: Parameters | None = None,
        seed: int = 0,
    ) -> None:
        self.platform = Platform(accounts, parameters or Parameters(), seed)
        self.console = Console(self.platform)
        self.faults = FaultPlan()
        self._recorder = Recorder(self.platform)

    @property
    def ledger(self) -> Ledger:
        return self.platform.ledger

    @property
    def parameters(self) -> Parameters:
        return self.platform.parameters

    @parameters.setter
    def parameters(self, value: Parameters) -> None:
        self.platform.parameters = value

    @property
    def accounts(self) -> dict[str, AccountState]:
        return self.platform.accounts

    def menu_history(self, appid: str) -> tuple[MenuChange, ...]:
        """Every change of the account's menus with the state after it, oldest first, bounded."""
        return tuple(self.accounts[appid].menus.history)

    # ------------------------------------------------------------------ requests

    def course(self, request: ApiRequest) -> Course:
        """Which faults strike it. Ask once, when the request arrives: limited faults count it."""
        if not self.faults.active:
            return UNTROUBLED
        appid = self.platform.owner_of(request)
        return self.faults.draw(request.path, appid, request.peer, self.platform.chance)

    def perform(
        self, request: ApiRequest, now: float, course: Course = UNTROUBLED
    ) -> Payload | None:
        """`attend`, for calls that are answered with JSON. Raises TypeError for a file."""
        answer = self.attend(request, now, course)
        if isinstance(answer, FileAnswer):
            raise TypeError(f"{request.path} answered with a file: ask `attend`")
        return answer

    def attend(self, request: ApiRequest, now: float, course: Course = UNTROUBLED) -> Answer | None:
        """Let it take effect as far as its course says. Once per request.

        Returns WeChat's answer, refusals included, or None when none is ever made. Whether the
        answer reaches the caller is for the course's ending and whoever carries that out.
        """
        self._recorder.look_for_secrets(request, now)
        self._let_happen(course.before, request, now)
        visit = Visit(self.platform, request, now)
        answer: Answer | None = None
        rid: str | None = None
        if course.takes_effect:
            answer, rid = self._answer(visit)
        self._let_happen(course.after, request, now)
        if course.refusal is not None:
            answer, rid = self._injected(course.refusal, now)
        self._recorder.record(visit, course, answer, rid)
        return answer

    def turn_away(self, request: ApiRequest, now: float) -> None:
        """A request too large to be read: it has no effect, but secrets in it are seen."""
        self._recorder.look_for_secrets(request, now)

    def _answer(self, visit: Visit) -> tuple[Answer, str | None]:
        try:
            endpoint = SERVED.get(visit.request.path)
            if endpoint is None:
                raise Refusal(40066)
            return endpoint.serve(visit), None
        except Refusal as refusal:
            return self._refused(refusal.code, refusal.text, visit.now)

    def _injected(self, fault: Fault, now: float) -> tuple[Payload, str | None]:
        return self._refused(fault.errcode, fault.errmsg, now)

    def _refused(self, code: int, text: str | None, now: float) -> tuple[Payload, str | None]:
        return failure(code, text, now=now, rules=self.parameters, chance=self.platform.chance)

    def _let_happen(self, faults: Sequence[Fault], request: ApiRequest, now: float) -> None:
        for fault in faults:
            account = self.accounts.get(self.platform.owner_of(request) or "")
            if account is None:
                continue
            if fault.kind == "foreign_refresh":
                self.console.foreign_refresh(account.appid, now, fault.foreign)
            else:
                self.console.kill_token(
                    account.appid, now, "classic" if fault.foreign == "classic" else "stable"
                )

    # ------------------------------------------------------------------ the usual calls, in short

    def token(self, appid: str, secret: str, now: float, peer: str = "127.0.0.1") -> Payload:
        """GET /cgi-bin/token. Mints at each success."""
        query = {"grant_type": GRANT_TYPE, "appid": appid, "secret": secret}
        return self._call(
            ApiRequest(method="GET", path="/cgi-bin/token", query=query, peer=peer), now
        )

    def stable_token(
        self,
        appid: str,
        secret: str,
        force_refresh: bool,  # noqa: FBT001 - WeChat's own field
        now: float,
        peer: str = "127.0.0.1",
    ) -> Payload:
        """POST /cgi-bin/stable_token."""
        body = orjson.dumps(
            {
                "grant_type": GRANT_TYPE,
                "appid": appid,
                "secret": secret,
                "force_refresh": force_refresh,
            }
        )
        return self._call(
            ApiRequest(method="POST", path="/cgi-bin/stable_token", body=body, peer=peer), now
        )

    def call(
        self,
        path: str,
        access_token: str,
        now: float,
        peer: str = "127.0.0.1",
        *,
        query: dict[str, str] | None = None,
        body: Payload | None = None,
    ) -> Payload:
        """A business call: GET, or POST when there is a body."""
        request = ApiRequest(
            method="GET" if body is None else "POST",
            path=path,
            query={**(query or {}), "access_token": access_token},
            body=b"" if body is None else orjson.dumps(body),
            peer=peer,
        )
        return self._call(request, now)

    def foreign_refresh(
        self, appid: str, now: float, kind: ForeignKind = "classic", *, spends: bool = True
    ) -> str:
        """A colleague's process refreshes behind everybody's back; see `Console`."""
        return self.console.foreign_refresh(appid, now, kind, spends=spends)

    def _call(self, request: ApiRequest, now: float) -> Payload:
        answer = self.perform(request, now)
        if answer is None:
            raise RuntimeError("only a fault keeps an answer back, and none was drawn")
        return answer
