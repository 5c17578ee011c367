"""What each user of an account sees, in order: own messages, replies, messages, banners. Pure.

Bounded: of a user the oldest entries fall out, and of all users those that were quiet longest.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FeedKind = Literal["sent", "reply", "banner", "custom", "template"]

BANNER: Final = "该公众号提供的服务出现故障，请稍后再试"
_ENTRIES_HELD: Final = 200
_USERS_HELD: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One thing that stands in the chat.

    sent              the user's own message or tap: `content` has WeChat's field names
    reply             the passive reply that was accepted, decoded
    banner            the notice that the account can't serve now
    custom, template  a message that the account sent: `content` as in its call
    """

    seq: int
    at: float
    kind: FeedKind
    type: str
    content: Mapping[str, Any]
    push: str | None = None


@dataclass(slots=True)
class Feeds:
    """Of one account. `seq` grows over all its users. Listeners are called with the openid."""

    by_openid: OrderedDict[str, deque[FeedEntry]] = field(default_factory=OrderedDict)
    listeners: set[Callable[[str], None]] = field(default_factory=set)
    _seq: int = 0

    def add(
        self,
        openid: str,
        at: float,
        kind: FeedKind,
        type_: str,
        content: Mapping[str, Any],
        push: str | None = None,
    ) -> None:
        self._seq += 1
        entry = FeedEntry(seq=self._seq, at=at, kind=kind, type=type_, content=content, push=push)
        mine = self.by_openid.get(openid)
        if mine is None:
            mine = self.by_openid[openid] = deque(maxlen=_ENTRIES_HELD)
            if len(self.by_openid) > _USERS_HELD:
                self.by_openid.popitem(last=False)
        self.by_openid.move_to_end(openid)
        mine.append(entry)
        for listener in list(self.listeners):
            listener(openid)

    def after(self, openid: str, seq: int) -> list[FeedEntry]:
        return [each for each in self.by_openid.get(openid, ()) if each.seq > seq]
