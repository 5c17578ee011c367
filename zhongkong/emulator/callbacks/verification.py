"""The URL verification: the question that WeChat asks, and whether the answer is right. Pure.

Source: "Access overview", step of the server's address (4.2). The question is plain in every mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zhongkong.emulator.callbacks.deliveries import Delivered
from zhongkong.wechat.signature import signature

if TYPE_CHECKING:
    from zhongkong.emulator.callbacks.configuration import CallbackSettings
    from zhongkong.emulator.callbacks.deliveries import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How it went. `detail` says what was wrong, or that all was well."""

    at: float
    url: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Question:
    """The query of the GET, and the echo that is right."""

    query: dict[str, str]
    echostr: str


def question(settings: CallbackSettings, timestamp: int, nonce: str, echostr: str) -> Question:
    signed = signature(settings.token, str(timestamp), nonce)
    return Question(
        {"signature": signed, "echostr": echostr, "timestamp": str(timestamp), "nonce": nonce},
        echostr,
    )


def complaint(asked: Question, answer: Delivery) -> str | None:
    """What is wrong with the answer, and what would be right; None when nothing is."""
    if not isinstance(answer, Delivered):
        return f"{answer.detail}. Start the receiver first, or put with verify=false"
    if answer.status != 200:
        return f"status {answer.status}, where 200 would be right. Does it have the same token?"
    if answer.body == asked.echostr.encode():
        return None
    if answer.body.strip().strip(b'"') == asked.echostr.encode():
        return "the echostr came with something around it; the body is the echostr and no more"
    return f"another body than the echostr ({len(answer.body)} bytes)"
