"""What the control calls about callbacks take, beside the wishes and settings themselves."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from zhongkong.emulator.callbacks.configuration import Format, Mode
from zhongkong.emulator.callbacks.messages import PushWish
from zhongkong.emulator.callbacks.office import CONNECTIONS_AT_MOST
from zhongkong.emulator.callbacks.records import AnswerKind, Outcome

MOST_PUSHES = 1000
LONGEST_WAIT_S = 600.0


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Waiting(Body):
    """Query of a call that may wait for an end. Seconds; 0: answered at once."""

    wait_s: float = Field(default=0.0, ge=0, le=LONGEST_WAIT_S)


class CallbackChange(Body):
    """As CallbackSettings. `verify` false: taken without asking the URL."""

    url: str
    token: str = Field(repr=False)
    aes_key: str | None = Field(default=None, repr=False)
    previous_aes_key: str | None = Field(default=None, repr=False)
    mode: Mode = "safe"
    format: Format = "xml"
    verify: bool = True


class PushList(Body):
    """Several pushes, accepted in this order and begun in `order`.

    `gap_s` apart, or (null) each when a try of the one before has ended. `one_msg_id` gives all
    the same MsgId.
    """

    pushes: tuple[PushWish, ...] = Field(min_length=1, max_length=MOST_PUSHES)
    order: Literal["given", "reversed", "shuffled"] = "given"
    gap_s: float | None = Field(default=None, ge=0, le=60)
    one_msg_id: bool = False


class BulkWish(Body):
    """`{n}` in the texts of `push` becomes the number of the push, from 0.

    users        openids that take turns, unless `push` names one
    rate_per_s   pushes begin so often; None: as fast as answers come
    concurrency  pushes at one moment; with a rate, what is over that begins late
    """

    push: PushWish
    count: int = Field(ge=1, le=10_000_000)
    users: int = Field(default=1, ge=1, le=100_000)
    rate_per_s: float | None = Field(default=None, gt=0, le=1e6)
    concurrency: int = Field(default=32, ge=1, le=CONNECTIONS_AT_MOST)


class CallbackQuestion(Body):
    """Query of GET callbacks."""

    appid: str | None = None
    user: str | None = None
    push: str | None = None
    answer: AnswerKind | None = None
    attack: str | None = None
    after: int | None = Field(default=None, ge=0)
    count: int = Field(default=1000, ge=1, le=10_000)


class ReconciliationQuestion(Body):
    """Query of GET reconciliation."""

    appid: str | None = None
    user: str | None = None
    outcome: Outcome | None = None
    after: int = Field(default=0, ge=0)
    count: int = Field(default=10_000, ge=1, le=100_000)


class FeedQuestion(Waiting):
    """Query of GET feed."""

    after: int = Field(default=0, ge=0)
