"""One call to WeChat: sent at most once, or over the next host when nothing left or only a read.

What goes out is made in `outgoing`, what an answer means is decided in `carrier`; connections are
in `pool`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp.client_exceptions import SocketTimeoutError

from token_service.proxy import refusals
from token_service.proxy.answer import Answer
from token_service.proxy.answer_errors import ANSWER_ERRORS, cause_of
from token_service.proxy.opener import NotConnected
from token_service.proxy.pool import IDLE_AT_MOST_S, IDLE_FOR_WRITES_S, PoolFull
from token_service.proxy.upload import upload
from zhongkong.runtime.logs import get_logger
from zhongkong.wechat.failover import HostOrder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from token_service.proxy.connection import Connection, Head
    from token_service.proxy.outbound import Outbound
    from token_service.proxy.pool import Pool
    from token_service.proxy.refusal import Refusal
    from zhongkong.runtime.clock import Clock

RETURN_AFTER_S: Final = 300.0
"""After a failover the first host is tried again so much later."""

log = get_logger()


class Forwarder:
    """Sends calls over the hosts in their order. `moves` counts changes of host by reason."""

    def __init__(
        self, origins: Sequence[str], pool: Pool, *, clock: Clock, silence_s: float
    ) -> None:
        """`silence_s`: how long neither side may say anything while a call is under way."""
        self._hosts = HostOrder(origins, return_after_s=RETURN_AFTER_S)
        self._only = tuple(origins) if len(origins) == 1 else ()
        self._names = {origin: urlsplit(origin).netloc for origin in origins}
        self._pool = pool
        self._clock = clock
        self._silence_s = silence_s
        self.moves: Counter[str] = Counter()

    @property
    def current_host(self) -> str:
        """The origin that took the last call."""
        return self._hosts.current

    async def send(self, call: Outbound) -> Answer:
        """Send once; the answer's head is there when this returns. Close the answer in the end.

        Raises Refusal: `not_sent` when nothing left, `unseen` and `too_slow` when it may have been
        carried out. A call that only reads is sent once more when its answer was lost.
        """
        tried: list[str] = []
        lost: Refusal | None = None
        reason = ""
        for origin in self._only or self._hosts.candidates(self._clock.monotonic()):
            try:
                answer = await self._over(origin, call)
            except NotConnected as trouble:
                tried.append(f"{self._names[origin]}: {trouble.detail}")
                reason = trouble.reason
                continue
            except PoolFull:
                raise refusals.busy() from None
            except _Lost as trouble:
                if not call.only_reads or trouble.late:
                    raise trouble.refusal from None
                lost, reason = trouble.refusal, "answer_lost"
                continue
            if origin != self._hosts.current:
                self._moved(origin, reason)
            return answer
        raise lost or refusals.not_sent("; ".join(tried))

    def _moved(self, origin: str, reason: str) -> None:
        previous = self._hosts.current
        if self._hosts.reached(origin, self._clock.monotonic()):
            self.moves[reason or "returned"] += 1
            log.warning(
                "upstream_host_changed", previous=previous, current=origin, reason=reason or None
            )

    async def _over(self, origin: str, call: Outbound) -> Answer:
        """Over one host. A read that met a connection just closed goes over a new one."""
        pool, silence_s = self._pool, self._silence_s
        idle_at_most_s = IDLE_AT_MOST_S if call.only_reads else IDLE_FOR_WRITES_S
        connection = pool.take_idle(origin, idle_at_most_s=idle_at_most_s)
        if connection is None:
            connection = await pool.take(origin, idle_at_most_s=idle_at_most_s)
        while True:
            try:
                message, payload = await self._head(connection, call)
                return Answer(message, payload, connection, pool)
            except (TimeoutError, SocketTimeoutError):
                pool.drop(connection)
                raise _Lost(refusals.too_slow(silence_s), late=True) from None
            except ANSWER_ERRORS as error:
                pool.drop(connection)
                if not (call.only_reads and connection.reused):
                    raise _Lost(refusals.unseen(cause_of(error))) from None
            except BaseException:
                pool.drop(connection)
                raise
            connection = await pool.take(origin, idle_at_most_s=-1.0)

    def _head(self, connection: Connection, call: Outbound) -> Awaitable[Head]:
        """Write the call; the answer's head is to be awaited."""
        data, body = call.head(self._names[connection.origin]), call.body
        without_body, silence_s = call.method == "HEAD", self._silence_s
        if isinstance(body, bytes):
            head = connection.begin(data + body, without_body=without_body, silence_s=silence_s)
            if connection.writing_paused:
                return self._drained(connection, head)
            connection.listen()
            return head
        head = connection.begin(data, without_body=without_body, silence_s=silence_s)
        return upload(connection, head, body, chunked=call.length is None, silence_s=silence_s)

    async def _drained(self, connection: Connection, head: Awaitable[Head]) -> Head:
        await connection.drained(self._silence_s)
        connection.listen()
        return await head


class _Lost(Exception):
    """The call left, and no answer's head came."""

    def __init__(self, refusal: Refusal, *, late: bool = False) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal
        self.late = late
