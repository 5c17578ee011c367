"""The ledger's entries: plain values, one per thing that happened, numbered in that order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from zhongkong.emulator.families import EndCause, FamilyName, Minter

Effect = Literal[
    "menu_created",
    "menu_deleted",
    "conditional_menu_added",
    "conditional_menu_deleted",
    "media_uploaded",
    "image_uploaded",
    "material_added",
    "material_deleted",
    "message_sent",
    "template_sent",
    "login_code_spent",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued:
    """A mint. A call that returned an existing token is none; only its `RequestSeen` stands."""

    seq: int
    at: float
    appid: str
    family: FamilyName
    value: str
    expires_at: float
    by: Minter


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDied:
    """An end before the promised one, heard of at `at`; `ends_at` may lie after it."""

    seq: int
    at: float
    appid: str
    family: FamilyName
    value: str
    ends_at: float
    cause: EndCause


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsed:
    """A token in a business call. `appid` is None for a text that was never issued."""

    seq: int
    at: float
    value: str
    appid: str | None
    path: str
    alive: bool
    errcode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectDone:
    """What a repetition would do twice. `detail`: the menuid, media id, openid, address or code."""

    seq: int
    at: float
    appid: str
    effect: Effect
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSeen:
    """A request that arrived. `errcode` is None when no answer was made or left the house.

    fault names what struck it, `cost_ms` is what rid/get would show.
    """

    seq: int
    at: float
    method: str
    path: str
    peer: str
    appid: str | None
    errcode: int | None
    cost_ms: int
    rid: str | None = None
    fault: str | None = None


Entry: TypeAlias = TokenIssued | TokenDied | TokenUsed | EffectDone | RequestSeen
