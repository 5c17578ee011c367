"""Calls to WeChat's API: bounded, never repeated behind the caller's back, over several hosts.

A call moves to another host only when it provably was not sent. Repeating, refreshing and waiting
are the callers' business, as the errors' docstrings tell them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from zhongkong.runtime.redaction import is_secret_name
from zhongkong.wechat.answer import Answer, parse_answer
from zhongkong.wechat.errors import NotSent, NotSentReason, OutcomeUnknown
from zhongkong.wechat.exchange import Exchange, Failure, Request, Response, SentMark
from zhongkong.wechat.failover import Failover, HostOrder
from zhongkong.wechat.hosts import DEFAULT_BASE_URLS, parse_base_urls

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence

    from aiohttp.abc import AbstractResolver

    from zhongkong.runtime.clock import Clock

_ANSWER_SHARE: Final = 0.25
"""The part of a deadline kept for the answer: no call is sent when less is left."""

_SECRET_MIN_LENGTH: Final = 8
"""Shorter values are cut out of no text: they are no secrets, and stand everywhere."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a call may take. `connect_timeout_s` is per host: DNS, TCP and TLS together.

    After a failover the first host is tried again every `return_after_s`; names are resolved anew
    after `dns_ttl_s`; a larger answer than `max_answer_bytes` is an OutcomeUnknown.
    """

    connect_timeout_s: float = 3.0
    return_after_s: float = 300.0
    dns_ttl_s: int = 30
    max_answer_bytes: int = 1 << 20


DEFAULT_BOUNDS: Final = Bounds()


class WeChatTransport:
    """One per process; safe for concurrent calls. `close()` it in the end.

    `base_urls` are origins in order of preference (BaseUrlError otherwise). `on_failover` is called
    synchronously and must not raise. `tls` replaces the default trust in public authorities.
    """

    def __init__(
        self,
        base_urls: Sequence[str] = DEFAULT_BASE_URLS,
        *,
        clock: Clock,
        bounds: Bounds = DEFAULT_BOUNDS,
        on_failover: Callable[[Failover], None] | None = None,
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._hosts = HostOrder(parse_base_urls(base_urls), return_after_s=bounds.return_after_s)
        self._clock = clock
        self._bounds = bounds
        self._on_failover = on_failover
        self._tls = tls
        self._resolver = resolver
        self._exchanges: dict[bool, Exchange] = {}
        self._closed = False

    @property
    def current_host(self) -> str:
        """The origin that took the last call."""
        return self._hosts.current

    async def call(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        deadline_s: float,
        reuse: bool = False,
        mark: SentMark | None = None,
    ) -> Answer:
        """Call once, within `deadline_s` over all hosts. An errcode in the answer is not raised.

        Raises NotSent when nothing left, which makes a repeat safe, and OutcomeUnknown otherwise.
        When the call is cancelled, treat it as OutcomeUnknown, unless `mark.may_have_left` is
        False. `json` is sent as raw UTF-8. `reuse` takes an idle connection: quicker, but one that
        the other side closes at that moment is an OutcomeUnknown, so it is for calls that are safe
        to repeat.
        """
        mark = mark or SentMark()
        request = Request(method, path, params, json)
        outcome = await self._over_hosts(request, mark, deadline_s, reuse=reuse)
        if isinstance(outcome, Response):
            hide = _secrets_of(params, json)
            return parse_answer(outcome.status, outcome.body, endpoint=path, hide=hide)
        if isinstance(outcome.reason, NotSentReason):
            raise NotSent(outcome.reason, outcome.detail, endpoint=path)
        raise OutcomeUnknown(outcome.reason, outcome.detail, endpoint=path)

    async def _over_hosts(
        self, request: Request, mark: SentMark, deadline_s: float, *, reuse: bool
    ) -> Response | Failure:
        started = self._clock.monotonic()
        reason, tried = NotSentReason.DEADLINE, list[str]()
        for origin in self._hosts.candidates(started):
            left_s = deadline_s - (self._clock.monotonic() - started)
            connect_s = min(self._bounds.connect_timeout_s, left_s - _ANSWER_SHARE * deadline_s)
            if connect_s <= 0:
                tried.append(f"{origin}: no time left to try it")
                break
            if self._closed:
                return Failure(NotSentReason.CLOSED, "the transport is closed")
            outcome = await self._exchange(reuse=reuse).send(
                origin, request, mark=mark, connect_s=connect_s, total_s=left_s
            )
            if isinstance(outcome, Response) or not isinstance(outcome.reason, NotSentReason):
                self._reached(origin, reason)
                return outcome
            reason = outcome.reason
            tried.append(f"{origin}: {outcome.detail}")
        return Failure(reason, "; ".join(tried) + _what_to_check(reason))

    def _exchange(self, *, reuse: bool) -> Exchange:
        """Made at the first call, since aiohttp wants a running loop."""
        if reuse not in self._exchanges:
            self._exchanges[reuse] = Exchange(
                reuse=reuse,
                max_answer_bytes=self._bounds.max_answer_bytes,
                dns_ttl_s=self._bounds.dns_ttl_s,
                tls=self._tls,
                resolver=self._resolver,
            )
        return self._exchanges[reuse]

    def _reached(self, origin: str, reason: NotSentReason) -> None:
        previous = self._hosts.current
        if self._hosts.reached(origin, self._clock.monotonic()) and self._on_failover:
            self._on_failover(Failover(previous, origin, reason))

    async def close(self) -> None:
        """Close all connections: calls under way end as if cut off, later ones with NotSent."""
        self._closed = True
        for exchange in self._exchanges.values():
            await exchange.close()


def _secrets_of(params: Mapping[str, str] | None, json: Any) -> tuple[str, ...]:
    """Values we sent that no error may show, should the answer echo them."""
    fields = [*(params or {}).items(), *(json.items() if isinstance(json, dict) else ())]
    return tuple(
        value
        for name, value in fields
        if is_secret_name(name) and isinstance(value, str) and len(value) >= _SECRET_MIN_LENGTH
    )


def _what_to_check(reason: NotSentReason) -> str:
    if reason is NotSentReason.TLS:
        return ". Check for a proxy that intercepts TLS, and the CA certificates of this machine."
    if reason is NotSentReason.DNS:
        return ". Check wechat.base_urls and this machine's name server."
    return ". Check wechat.base_urls, firewall and routes from this machine."
