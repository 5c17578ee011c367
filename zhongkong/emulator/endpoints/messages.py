"""Messages to single users: the custom service's, and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from zhongkong.emulator.account import AccountKind, AccountState
from zhongkong.emulator.endpoint import Endpoint, Visit
from zhongkong.emulator.message_contents import content_of
from zhongkong.emulator.refusal import OK, Payload, Refusal
from zhongkong.emulator.request import text_field

if TYPE_CHECKING:
    from zhongkong.emulator.users import User

_VERIFIED: Final = frozenset({AccountKind.VERIFIED, AccountKind.SANDBOX})
_WITH_CUSTOM_SERVICE: Final = _VERIFIED | {AccountKind.MINI_PROGRAM}
_TEMPLATE_ID_AT_MOST: Final = 128


def send_custom(visit: Visit) -> Payload:
    body, account = visit.request.json(), visit.recognised()
    user = _receiver(account, text_field(body, "touser", 41009))
    msgtype, content = content_of(body, account.media, visit.now)
    if account.kind is not AccountKind.MINI_PROGRAM and not user.profile.following:
        raise Refusal(45015)
    code = user.credit.spend(visit.now)
    if code:
        raise Refusal(code)
    openid = user.profile.openid
    account.outbox.put(at=visit.now, openid=openid, via="custom", msgtype=msgtype, content=content)
    account.feeds.add(openid, visit.now, "custom", msgtype, content)
    visit.carried_out("message_sent", openid)
    return OK


def send_template(visit: Visit) -> Payload:
    body, account = visit.request.json(), visit.recognised()
    user = _receiver(account, text_field(body, "touser", 41009))
    template_id = text_field(body, "template_id", 40037)
    if len(template_id) > _TEMPLATE_ID_AT_MOST:
        raise Refusal(40037)
    data: Any = body.get("data")
    if not isinstance(data, dict):
        raise Refusal(47001)
    if not user.profile.following:
        raise Refusal(43004)
    openid = user.profile.openid
    content = {name: value for name, value in body.items() if name != "touser"}
    message = account.outbox.put(
        at=visit.now, openid=openid, via="template", msgtype="template", content=content
    )
    account.feeds.add(openid, visit.now, "template", "template", content)
    visit.carried_out("template_sent", openid)
    return {**OK, "msgid": message.msgid}


def _receiver(account: AccountState, openid: str) -> User:
    user = account.users.get(openid)
    if user is None:
        raise Refusal(40003)
    return user


ENDPOINTS: Final = (
    Endpoint(
        path="/cgi-bin/message/custom/send",
        method="POST",
        credential="token",
        answer=send_custom,
        kinds=_WITH_CUSTOM_SERVICE,
    ),
    Endpoint(
        path="/cgi-bin/message/template/send",
        method="POST",
        credential="token",
        answer=send_template,
        kinds=_VERIFIED,
    ),
)
