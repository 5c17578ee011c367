"""Where pushes are accepted: checked against the account, put into a message, and let take effect.

What is sent then, and what came of it, is the desk's business.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.callbacks.attacks import unfit
from zhongkong.emulator.callbacks.messages import DEFAULT_OPENID, compose, interaction_of
from zhongkong.emulator.callbacks.records import Identity, PushRecord
from zhongkong.emulator.console import Console
from zhongkong.wechat.push import BodyFormat, PushMalformed, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.callbacks.configuration import CallbackSettings
    from zhongkong.emulator.callbacks.messages import PushWish
    from zhongkong.emulator.platform import Platform

_COMMON: Final = frozenset({"ToUserName", "FromUserName", "CreateTime", "MsgType"})


class PushRefused(ValueError):
    """The push makes no sense here; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class _Plan:
    openid: str
    fields: Mapping[str, Any]
    message: bytes
    clear: bytes
    replayed: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Reception:
    """Acts on the platform's state at once. Raises PushRefused before anything has happened."""

    platform: Platform

    def accept(
        self,
        appid: str,
        wish: PushWish,
        now: float,
        monotonic: float,
        *,
        brief: bool = False,
        msg_id: int | None = None,
    ) -> PushRecord:
        """The user does it: from now on it stands in book and feed. Raises PushRefused.

        `brief`: fields and query are not kept, which saves memory under load. `msg_id` replaces
        the one that would be made.
        """
        account = self.platform.accounts[appid]
        plan = self._planned(account, wish, now, msg_id)
        fields = plan.fields
        push = PushRecord(
            id=self.platform.pushes.next_id(),
            seq=self.platform.ledger.next_seq(),
            at=now,
            appid=appid,
            openid=plan.openid,
            identity=Identity.of(fields),
            message_sha256=hashlib.sha256(plan.message).hexdigest(),
            course=wish.course,
            fields=None if brief else fields,
            accepted=monotonic,
            brief=brief,
            message=plan.message,
            clear=plan.clear,
            query=plan.replayed,
        )
        if wish.course.attack is None:
            self._takes_effect(account, plan.openid, fields, push, now)
        self.platform.pushes.keep(push, self.platform.parameters.pushes_held)
        return push

    def check(self, appid: str, wish: PushWish, now: float) -> None:
        """Raises PushRefused where `accept` would; nothing happens."""
        self._planned(self.platform.accounts[appid], wish, now, msg_id=0)

    def _planned(
        self, account: AccountState, wish: PushWish, now: float, msg_id: int | None
    ) -> _Plan:
        settings = configured(account)
        replayed = self._fitting(account, wish, settings)
        openid = str(wish.fields.get("FromUserName") or wish.user or _first_user(account))
        fields = compose(
            wish,
            to_user=account.original_id,
            openid=openid,
            create_time=int(now),
            msg_id=self.platform.pushes.next_msg_id(now) if msg_id is None else msg_id,
        )
        message, clear = _bodies(fields, wish, settings)
        return _Plan(openid, fields, message, clear, replayed)

    def _fitting(
        self, account: AccountState, wish: PushWish, settings: CallbackSettings
    ) -> Mapping[str, str] | None:
        """The query to use again, if any. Raises PushRefused for a course that can't be."""
        course = wish.course
        if course.clear_fields and settings.mode != "compatible":
            raise PushRefused("clear_fields need compatible mode")
        if course.key == "previous" and account.callback.previous_key is None:
            raise PushRefused("key previous: there is no previous EncodingAESKey")
        if course.attack is not None and (why := unfit(course.attack, settings)):
            raise PushRefused(why)
        if course.replay_of is None:
            return None
        replayed = self.platform.pushes.pushes.get(course.replay_of)
        if replayed is None or replayed.query is None:
            raise PushRefused(f"replay_of: the query of push {course.replay_of} is not known")
        return replayed.query

    def _takes_effect(
        self,
        account: AccountState,
        openid: str,
        fields: Mapping[str, Any],
        push: PushRecord,
        now: float,
    ) -> None:
        try:
            account.users.meet(openid, now)
        except ValueError as exc:
            raise PushRefused(str(exc)) from None
        if fields.get("Event") == "unsubscribe":
            account.users.change(openid, now, following=False)
        mini_program = account.kind is AccountKind.MINI_PROGRAM
        done = interaction_of(fields, mini_program=mini_program)
        if done is not None:
            Console(self.platform).interaction(account.appid, openid, done, now)
        content = {name: value for name, value in fields.items() if name not in _COMMON}
        account.feeds.add(openid, now, "sent", push.identity.msg_type, content, push.id)


def configured(account: AccountState) -> CallbackSettings:
    """Where the account's callbacks go. Raises PushRefused where none is configured."""
    settings = account.callback.settings
    if settings is None:
        path = f"/_emulator/accounts/{account.appid}/callback"
        raise PushRefused(f"{account.appid} has no callback; PUT {path} sets one")
    return settings


def _first_user(account: AccountState) -> str:
    return next(iter(account.users.by_openid), DEFAULT_OPENID)


def _bodies(
    fields: Mapping[str, Any], wish: PushWish, settings: CallbackSettings
) -> tuple[bytes, bytes]:
    """What is encrypted or sent in clear, and what stands beside it in compatible mode."""
    form = BodyFormat(settings.format)
    try:
        # The control calls show the fields in JSON that has no numbers beyond 64 bits.
        orjson.dumps(fields)
        message = render(fields, form)
        if not wish.course.clear_fields:
            return message, message
        said = {**fields, **wish.course.clear_fields}
        return message, render({k: v for k, v in said.items() if v is not None}, form)
    except (PushMalformed, TypeError) as exc:
        raise PushRefused(f"fields: {exc}") from None
