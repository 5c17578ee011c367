"""A dead real token behind the callers' backs: replaced, and the call repeated once.

WeChat refuses a call with a dead token before it does anything, so such a call may be repeated. The
first refusal is evidence; one of the repetition is only a claim, since some paths always answer so
to the wrong kind of token, and such a path gives only claims for a while.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from token_service.inputs import DEAD_TOKEN_CODES
from token_service.served import NoLiveToken, RejectionOutcome
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from token_service.ports import TokenSource
    from token_service.served import Rejection, Served
    from zhongkong.runtime.tasks import TaskOwner

CLAIMS_ONLY_S: Final = 600.0
_REMEMBERED: Final = 4096


class Doubtful:
    """PURE: paths that refused a fresh token too, by account. `now` is monotonic seconds."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._until: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._remembered = remembered

    def note(self, account: str, path: str, now: float) -> None:
        """This path's word is no evidence for the next CLAIMS_ONLY_S."""
        key = (account, path)
        self._until[key] = now + CLAIMS_ONLY_S
        self._until.move_to_end(key)
        if len(self._until) > self._remembered:
            self._until.popitem(last=False)

    def is_doubtful(self, account: str, path: str, now: float) -> bool:
        return self._until.get((account, path), 0.0) > now


def says_dead(errcode: int | None) -> bool:
    """Whether WeChat refused the call for its token alone."""
    return errcode in DEAD_TOKEN_CODES


class Healer:
    """Reports dead tokens to the rotation, and tells whether a call is worth repeating.

    What was begun goes on when the caller hangs up: the next one needs its outcome.
    """

    def __init__(self, source: TokenSource, tasks: TaskOwner) -> None:
        self._source = source
        self._tasks = tasks
        self._doubtful = Doubtful()
        self._under_way: Counter[tuple[str, str, str]] = Counter()

    @contextmanager
    def mending(self, account: str, path: str, used: Served, now: float) -> Iterator[Mending]:
        """While a call on this path that met a dead token is mended and repeated.

        Another call that was refused with a newer token meanwhile is no evidence: the repetition
        may be about to show that this path refuses every token.
        """
        newer = any(
            (of, where) == (account, path) and version != used.version
            for of, where, version in self._under_way
        )
        evidence = not newer and not self._doubtful.is_doubtful(account, path, now)
        key = (account, path, used.version)
        self._under_way[key] += 1
        try:
            yield Mending(self, account, path, used, now, evidence=evidence)
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]

    async def report(self, used: Served, *, evidence: bool) -> Rejection:
        """Raises NoLiveToken and StoreUnavailable."""
        task = self._tasks.once("dead token", self._settled(used, evidence=evidence))
        found: Rejection | NoLiveToken | StoreUnavailable = await asyncio.shield(task)
        if isinstance(found, Exception):
            raise found
        return found

    def doubt(self, account: str, path: str, now: float) -> None:
        """This path's word is worth less from now on."""
        self._doubtful.note(account, path, now)

    def claim(self, used: Served) -> None:
        """Report a refused repetition; nobody waits for what comes of it."""
        self._tasks.once("dead token", self._settled(used, evidence=False))

    async def _settled(
        self, used: Served, *, evidence: bool
    ) -> Rejection | NoLiveToken | StoreUnavailable:
        """Refusals are answers here, no defects of a task."""
        try:
            return await self._source.reject(used.slot, used.version, evidence=evidence)
        except (NoLiveToken, StoreUnavailable) as refusal:
            return refusal


class Mending:
    """One call on its way from a refusal to its repetition."""

    def __init__(
        self,
        healer: Healer,
        account: str,
        path: str,
        used: Served,
        now: float,
        *,
        evidence: bool,
    ) -> None:
        self._healer = healer
        self._account = account
        self._path = path
        self._used = used
        self._now = now
        self._evidence = evidence

    async def replacement(self) -> Served | None:
        """Another token to repeat the call with; None when WeChat's word stands.

        Raises NoLiveToken and StoreUnavailable when there is none to go on with.
        """
        rejection = await self._healer.report(self._used, evidence=self._evidence)
        if rejection.outcome is RejectionOutcome.CONFIRMED_VALID:
            # WeChat takes this token elsewhere: it is the path that refuses it.
            self._healer.doubt(self._account, self._path, self._now)
        fresh = rejection.served
        return fresh if fresh.version != self._used.version else None

    def refused_again(self, fresh: Served) -> None:
        """The repetition was refused as well."""
        self._healer.doubt(self._account, self._path, self._now)
        self._healer.claim(fresh)
