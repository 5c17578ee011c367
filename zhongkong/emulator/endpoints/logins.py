"""Users who log in: on web pages with a code and a token of their own, in mini-programs."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.endpoint import Endpoint, Visit, pass_with_secret, refuse_frozen
from zhongkong.emulator.logins import (
    REFRESH_TOKEN_LIFE_S,
    USER_TOKEN_LIFE_S,
    LoginCode,
    LoginKind,
    UserToken,
)
from zhongkong.emulator.refusal import OK, Payload, Refusal
from zhongkong.emulator.request import text_field

if TYPE_CHECKING:
    from zhongkong.emulator.users import EmulatedUser

_GRANT: Final = "authorization_code"
_REFRESH_GRANT: Final = "refresh_token"
_WITH_WEB_LOGIN: Final = frozenset({AccountKind.SERVICE, AccountKind.VERIFIED, AccountKind.SANDBOX})
_SESSION_KEY_BYTES: Final = 16


def web_token(visit: Visit) -> Payload:
    code = _redeemed(visit, "web", "code", _WITH_WEB_LOGIN)
    platform, now = visit.platform, visit.now
    token = UserToken(
        value=platform.new_value("classic"),
        refresh_value=platform.new_value("classic"),
        appid=code.appid,
        openid=code.openid,
        scope=code.scope,
        expires_at=now + USER_TOKEN_LIFE_S,
        refresh_expires_at=now + REFRESH_TOKEN_LIFE_S,
    )
    platform.logins.keep_token(token)
    return _handed_out(visit, token)


def refreshed_token(visit: Visit) -> Payload:
    """A living token gets a new end; an ended one is replaced."""
    query, platform, now = visit.request.query, visit.platform, visit.now
    appid = text_field(query, "appid", 41002)
    if query.get("grant_type") != _REFRESH_GRANT:
        raise Refusal(40002)
    value = text_field(query, "refresh_token", 41003)
    visit.account = platform.accounts.get(appid)
    if visit.account is None:
        raise Refusal(40013)
    refuse_frozen(visit.account)
    token = platform.logins.by_refresh_token(value)
    if token is None or token.appid != appid:
        raise Refusal(40030)
    if now >= token.refresh_expires_at:
        raise Refusal(42002)
    if now >= token.expires_at:
        token.value = platform.new_value("classic")
    token.expires_at = now + USER_TOKEN_LIFE_S
    platform.logins.keep_token(token)
    return _handed_out(visit, token)


def user_info(visit: Visit) -> Payload:
    token = _shown_token(visit)
    if token.scope != "snsapi_userinfo":
        raise Refusal(48001)
    profile = _profile(visit, token.openid)
    return {
        "openid": token.openid,
        "nickname": "" if profile is None else profile.nickname,
        "sex": 0,
        "language": "" if profile is None else profile.language,
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "privilege": [],
        **_union(profile),
    }


def check_token(visit: Visit) -> Payload:
    _shown_token(visit)
    return OK


def mini_program_session(visit: Visit) -> Payload:
    code = _redeemed(visit, "mini_program", "js_code", frozenset({AccountKind.MINI_PROGRAM}))
    raw = bytes.fromhex(visit.platform.chance.token(_SESSION_KEY_BYTES))
    return {
        "session_key": base64.b64encode(raw).decode(),
        "openid": code.openid,
        **_union(_profile(visit, code.openid)),
    }


def _redeemed(
    visit: Visit, kind: LoginKind, field: str, kinds: frozenset[AccountKind]
) -> LoginCode:
    """The code of the query, spent. Raises Refusal."""
    query = visit.request.query
    appid = text_field(query, "appid", 41002)
    secret = text_field(query, "secret", 41004)
    if query.get("grant_type") != _GRANT:
        raise Refusal(40002)
    value = text_field(query, field, 41008)
    if pass_with_secret(visit, appid, secret).kind not in kinds:
        raise Refusal(48001)
    code = visit.platform.logins.code(value)
    if code is None or code.appid != appid or code.kind != kind:
        raise Refusal(40029)
    if code.used:
        raise Refusal(40163)
    if visit.now >= code.expires_at:
        raise Refusal(42003)
    code.used = True
    visit.carried_out("login_code_spent", value)
    return code


def _shown_token(visit: Visit) -> UserToken:
    """A user's token with the right openid beside it; an account's own token is none."""
    query = visit.request.query
    token = visit.platform.logins.token(text_field(query, "access_token", 41001))
    if token is None:
        raise Refusal(40001)
    visit.account = visit.platform.accounts[token.appid]
    if visit.now >= token.expires_at or token.value != query["access_token"]:
        raise Refusal(42001)
    if text_field(query, "openid", 41009) != token.openid:
        raise Refusal(40003)
    refuse_frozen(visit.account)
    return token


def _handed_out(visit: Visit, token: UserToken) -> Payload:
    return {
        "access_token": token.value,
        "expires_in": int(token.expires_at - visit.now),
        "refresh_token": token.refresh_value,
        "openid": token.openid,
        "scope": token.scope,
        **_union(_profile(visit, token.openid)),
    }


def _profile(visit: Visit, openid: str) -> EmulatedUser | None:
    user = visit.recognised().users.get(openid)
    return None if user is None else user.profile


def _union(profile: EmulatedUser | None) -> Payload:
    return {"unionid": profile.unionid} if profile and profile.unionid else {}


ENDPOINTS: Final = (
    Endpoint(path="/sns/oauth2/access_token", method="GET", credential="secret", answer=web_token),
    Endpoint(
        path="/sns/oauth2/refresh_token", method="GET", credential="user", answer=refreshed_token
    ),
    Endpoint(path="/sns/userinfo", method="GET", credential="user", answer=user_info),
    Endpoint(path="/sns/auth", method="GET", credential="user", answer=check_token),
    Endpoint(
        path="/sns/jscode2session",
        method="GET",
        credential="secret",
        answer=mini_program_session,
    ),
)
