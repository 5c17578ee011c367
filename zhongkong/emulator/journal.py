"""The requests that rid/get can show: those answered with a rid, for seven days, bounded."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from zhongkong.wechat.limits import RID_LIFE_S

if TYPE_CHECKING:
    from zhongkong.emulator.refusal import Payload

_HELD: Final = 10_000
TEXT_KEPT: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One request and its answer. `appid` is None where no account was recognised.

    Whoever makes it cuts the texts to `TEXT_KEPT` characters.
    """

    appid: str | None
    invoked_at: float
    cost_ms: int
    url: str
    request_body: str
    response_body: str
    peer: str

    def shown(self) -> Payload:
        return {
            "invoke_time": int(self.invoked_at),
            "cost_in_ms": self.cost_ms,
            "request_url": self.url,
            "request_body": self.request_body,
            "response_body": self.response_body,
            "client_ip": self.peer,
        }


@dataclass(slots=True)
class Journal:
    """Entries by rid."""

    _entries: OrderedDict[str, JournalEntry] = field(default_factory=OrderedDict)

    def keep(self, rid: str, entry: JournalEntry) -> None:
        self._entries[rid] = entry
        if len(self._entries) > _HELD:
            self._entries.popitem(last=False)

    def find(self, rid: str, now: float) -> JournalEntry | None:
        entry = self._entries.get(rid)
        return entry if entry and now - entry.invoked_at <= RID_LIFE_S else None
