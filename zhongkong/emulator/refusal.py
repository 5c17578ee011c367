"""How WeChat says no: a code, a text, and a rid or hint behind the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from zhongkong.emulator.allowlist import as_address
from zhongkong.wechat.codes import ERROR_CODES

if TYPE_CHECKING:
    from zhongkong.emulator.chance import Chance
    from zhongkong.emulator.parameters import Parameters, RefusalForm

Payload = dict[str, Any]

OK: Final[Payload] = {"errcode": 0, "errmsg": "ok"}

# Longer on the wire than in the table of codes, or absent there.
_TEXTS: Final = {
    40001: "invalid credential, access_token is invalid or not latest, could get access_token by "
    "getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
    42001: "access_token expired",
    40004: "invalid media type",
    40005: "invalid file type",
    40008: "invalid message type",
    40009: "invalid image size",
    40037: "invalid template_id",
    40243: "appsecret is frozen",
    45064: "no permission to use weapp in menu",
    48005: "media is in use by menu or auto reply",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    50004: "forbid to use the token interface",
    50007: "account is frozen",
    76001: "rid not found",
    76002: "rid is invalid",
    76003: "rid does not belong to this account",
    76021: "cgi_path not found, please check",
    76022: "could not use this cgi_path, no permission",
    65301: "menuid no exist",
    65302: "no such user",
    65303: "there is no selfmenu, please create selfmenu first",
    65304: "match rule empty",
    65305: "menu count limit",
    65306: "conditional menu not support",
    65307: "conditional menu is empty",
    65308: "exist empty button act",
    65309: "conditional menu is closed",
    65310: "country info is empty",
    65311: "province info is empty",
    65316: "too many domains of menu urls",
    65320: "match rule holds withdrawn fields",
    89501: "ip is waiting for the administrator's confirmation",
    89503: "ip needs the administrator's confirmation",
    89506: "ip was refused twice by the administrator within 24 hours",
    89507: "ip was refused by the administrator within 1 hour",
}
_OLD_TEXTS: Final = {45009: "api freq out of limit"}
_SECRET_REFUSED: Final = "invalid credential, appsecret is invalid or not latest"


class Refusal(Exception):
    """Carries WeChat's code out of the depth of an endpoint. `text` replaces the usual errmsg."""

    def __init__(self, code: int, text: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.text = text

    @classmethod
    def of_secret(cls, code: int) -> Refusal:
        """A wrong secret. 40001 has another text here than for a wrong token."""
        return cls(code, _SECRET_REFUSED if code == 40001 else None)

    @classmethod
    def of_address(cls, code: int, peer: str) -> Refusal:
        """40164 names the address that the platform saw; the 8950x say nothing of it."""
        if code != 40164:
            return cls(code)
        address = as_address(peer) or peer
        mapped = f" ipv6 ::ffff:{address}" if "." in str(address) else ""
        return cls(code, f"invalid ip {address}{mapped}, not in whitelist")


def failure(
    code: int, text: str | None, *, now: float, rules: Parameters, chance: Chance
) -> tuple[Payload, str | None]:
    """The body of a refusal, and its rid where it has one."""
    words = text or usual_text(code, rules.refusal_form)
    errcode = str(code) if rules.errcode_as_text else code
    if rules.refusal_form == "hint":
        return {"errcode": errcode, "errmsg": f"{words} hint: [{chance.text(14)}]"}, None
    rid = f"{int(now) & 0xFFFFFFFF:08x}-{chance.token(4)}-{chance.token(4)}"
    return {"errcode": errcode, "errmsg": f"{words} rid: {rid}"}, rid


def usual_text(code: int, form: RefusalForm) -> str:
    if form == "hint" and code in _OLD_TEXTS:
        return _OLD_TEXTS[code]
    if code in _TEXTS:
        return _TEXTS[code]
    known = ERROR_CODES.get(code)
    return known.errmsg if known and known.errmsg else "unknown error"
