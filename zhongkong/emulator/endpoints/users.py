"""What an account may know of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.endpoint import Endpoint, Visit
from zhongkong.emulator.refusal import Refusal

if TYPE_CHECKING:
    from zhongkong.emulator.refusal import Payload

_VERIFIED: Final = frozenset({AccountKind.VERIFIED, AccountKind.SANDBOX})


def info(visit: Visit) -> Payload:
    openid = visit.request.query.get("openid", "")
    if not openid:
        raise Refusal(41009)
    user = visit.recognised().users.get(openid)
    if user is None:
        raise Refusal(40003)
    profile = user.profile
    union = {"unionid": profile.unionid} if profile.unionid else {}
    if not profile.following:
        return {"subscribe": 0, "openid": openid, **union}
    return {
        "subscribe": 1,
        "openid": openid,
        "language": profile.language,
        "subscribe_time": int(user.followed_at),
        **union,
        "remark": "",
        "groupid": profile.tags[-1] if profile.tags else 0,
        "tagid_list": list(profile.tags),
        "subscribe_scene": "ADD_SCENE_SEARCH",
        "qr_scene": 0,
        "qr_scene_str": "",
    }


ENDPOINTS: Final = (
    Endpoint(
        path="/cgi-bin/user/info", method="GET", credential="token", answer=info, kinds=_VERIFIED
    ),
)
