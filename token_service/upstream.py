"""WeChat's token endpoints over HTTP, turned into outcomes that the rotation understands.

Sources: wechat-platform 1.2 (token), 1.3 (stable_token), 1.8 (the probe).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from token_service.outcome import Denied, Minted, Outcome, Unknown, Unsent
from token_service.slot import Call, Verdict
from zhongkong.wechat.codes import CodeClass, classify
from zhongkong.wechat.errors import NotSent, OutcomeUnknown, Transient, error_for

if TYPE_CHECKING:
    from token_service.plan import AccountPlan
    from zhongkong.wechat.answer import Answer
    from zhongkong.wechat.transport import WeChatTransport

TOKEN_PATH: Final = "/cgi-bin/token"
STABLE_TOKEN_PATH: Final = "/cgi-bin/stable_token"
PROBE_PATH: Final = "/cgi-bin/get_api_domain_ip"
_GRANT_TYPE: Final = "client_credential"
_LONGEST_LIFE_S: Final = 86_400.0


class WeChatUpstream:
    """Never raises for what WeChat or the network does. `probe_path`: a cheap GET with a token."""

    def __init__(
        self,
        transport: WeChatTransport,
        *,
        probe_path: str = PROBE_PATH,
        probe_deadline_s: float = 5.0,
    ) -> None:
        self._transport = transport
        self._probe_path = probe_path
        self._probe_deadline_s = probe_deadline_s

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:
        """Ask for a token, once. `deadline_s` bounds everything, failover included."""
        credentials = {
            "grant_type": _GRANT_TYPE,
            "appid": plan.slot.appid,
            "secret": plan.secret(),
        }
        try:
            if call is Call.CLASSIC:
                answer = await self._transport.call(
                    "GET", TOKEN_PATH, params=credentials, deadline_s=deadline_s
                )
            else:
                body = {**credentials, "force_refresh": call is Call.FORCED}
                answer = await self._transport.call(
                    "POST", STABLE_TOKEN_PATH, json=body, deadline_s=deadline_s
                )
        except NotSent as error:
            return Unsent(str(error))
        except OutcomeUnknown as error:
            return Unknown(str(error))
        return token_outcome(answer, TOKEN_PATH if call is Call.CLASSIC else STABLE_TOKEN_PATH)

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:  # noqa: ARG002 - Upstream
        """Ask whether a token is alive; what doesn't answer the question is inconclusive."""
        try:
            answer = await self._transport.call(
                "GET",
                self._probe_path,
                params={"access_token": value},
                deadline_s=self._probe_deadline_s,
                reuse=True,
            )
        except (NotSent, OutcomeUnknown):
            return Verdict.INCONCLUSIVE
        return probe_verdict(answer.errcode)


def probe_verdict(errcode: int) -> Verdict:
    """What a code on a call with a token says of the token: a spent quota was counted under it."""
    if errcode == 0:
        return Verdict.ALIVE
    kind = classify(errcode, at_token_endpoint=False)
    if kind is CodeClass.TOKEN:
        return Verdict.DEAD
    return Verdict.ALIVE if kind is CodeClass.QUOTA else Verdict.INCONCLUSIVE


def token_outcome(answer: Answer, endpoint: str) -> Outcome:
    """What an answer of a token endpoint means."""
    refusal = denied_or_unknown(answer, endpoint, at_token_endpoint=True)
    if refusal is not None:
        return refusal
    value, life_s = answer.payload.get("access_token"), lifetime_of(answer)
    if not isinstance(value, str) or not value or life_s is None:
        return Unknown(f"{endpoint} answered without a usable access_token and expires_in")
    return Minted(value, life_s)


def denied_or_unknown(
    answer: Answer, endpoint: str, *, at_token_endpoint: bool = False
) -> Denied | Unknown | None:
    """What a code other than 0 means; -1 may hide an effect."""
    if not answer.errcode:
        return None
    error = error_for(
        answer.errcode,
        answer.errmsg,
        endpoint=endpoint,
        at_token_endpoint=at_token_endpoint,
        rid=answer.rid,
        hint=answer.hint,
    )
    if isinstance(error, Transient) and error.effect_unknown:
        return Unknown(str(error), error.errcode, error.rid)
    return Denied(error)


def lifetime_of(answer: Answer) -> float | None:
    """`expires_in` as a usable number of seconds."""
    life = answer.payload.get("expires_in")
    if isinstance(life, bool) or not isinstance(life, int | float) or life <= 0:
        return None
    return min(float(life), _LONGEST_LIFE_S)
