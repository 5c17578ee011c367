"""Where pushes become bytes, and answers are judged and written down. Acts on platform's state.

Nothing is sent here: the office asks for a letter, sends it, and hands back what came of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zhongkong.emulator.callbacks.attacks import ATTACKS
from zhongkong.emulator.callbacks.drafts import Draft
from zhongkong.emulator.callbacks.feed import BANNER
from zhongkong.emulator.callbacks.judging import Bench, Judgement, judge
from zhongkong.emulator.callbacks.letters import Letter, letter
from zhongkong.emulator.callbacks.reception import Reception, configured
from zhongkong.emulator.callbacks.records import AnswerKind, Attempt, PushRecord
from zhongkong.emulator.callbacks.replies import Answered
from zhongkong.emulator.callbacks.samples import UNSEEN

if TYPE_CHECKING:
    from zhongkong.emulator.callbacks.configuration import CallbackSettings
    from zhongkong.emulator.callbacks.deliveries import Delivery
    from zhongkong.emulator.callbacks.messages import PushWish
    from zhongkong.emulator.callbacks.records import Outcome
    from zhongkong.emulator.parameters import Parameters
    from zhongkong.emulator.platform import Platform


@dataclass(frozen=True, slots=True)
class Sending:
    """A try that is to be posted to `url`, and what its answer is judged by."""

    attempt: Attempt
    letter: Letter = field(repr=False)
    url: str
    bench: Bench = field(repr=False)


@dataclass(frozen=True, slots=True)
class PushDesk:
    """One per platform. Every method takes effect at once."""

    platform: Platform

    @property
    def rules(self) -> Parameters:
        return self.platform.parameters

    def check(self, appid: str, wish: PushWish, now: float) -> None:
        """As `Reception.check`. Raises PushRefused."""
        Reception(self.platform).check(appid, wish, now)

    def accept(
        self,
        appid: str,
        wish: PushWish,
        now: float,
        monotonic: float,
        *,
        brief: bool = False,
        msg_id: int | None = None,
    ) -> PushRecord:
        """As `Reception.accept`. Raises PushRefused."""
        reception = Reception(self.platform)
        return reception.accept(appid, wish, now, monotonic, brief=brief, msg_id=msg_id)

    def begin(
        self, push: PushRecord, now: float, monotonic: float, *, signs_anew: bool, repeat: bool
    ) -> Sending:
        """The next try. Raises PushRefused when the callback was taken away."""
        settings = configured(self.platform.accounts[push.appid])
        if push.letter is None or signs_anew:
            push.letter = letter(self._draft(push, settings, now))
            if push.query is None and not push.brief:
                push.query = push.letter.query
        attempt = Attempt(
            seq=self.platform.ledger.next_seq(),
            at=now,
            push=push.id,
            appid=push.appid,
            identity=push.identity,
            number=len(push.attempts) + 1,
            body_sha256=hashlib.sha256(push.letter.body).hexdigest(),
            body_bytes=len(push.letter.body),
            began=monotonic,
            repeat=repeat,
            attack=push.course.attack,
        )
        push.attempts.append(attempt)
        self.platform.pushes.sent(attempt, self.rules.callbacks_held)
        return Sending(attempt, push.letter, settings.url, self._bench(push, settings, now))

    def settle(
        self, push: PushRecord, sending: Sending, delivery: Delivery, now: float, monotonic: float
    ) -> None:
        """Judge what came of a try. The first good answer is what the user sees."""
        attempt, judgement = sending.attempt, judge(delivery, sending.bench)
        had_one = any(each.ok for each in push.attempts)
        self._close(attempt, judgement.kind, monotonic)
        attempt.status, attempt.problem = judgement.status, judgement.problem
        if judgement.reply is not None and not had_one and _is_seen(push):
            self._show_reply(push, attempt, judgement, now)

    def end(self, push: PushRecord, outcome: Outcome, now: float) -> None:
        """Nothing more is sent. A failure of what a user waits for shows the banner.

        Repeating it changes nothing.
        """
        if push.outcome != "under_way":
            return
        push.outcome = outcome
        for each in push.attempts:
            if each.ended is None:
                self._close(each, AnswerKind.STOPPED, each.began)
        if outcome == "failed" and _is_seen(push):
            push.attempts[-1].seen = "banner"
            feeds = self.platform.accounts[push.appid].feeds
            feeds.add(push.openid, now, "banner", "banner", {"text": BANNER}, push.id)
        push.message = push.clear = b""
        push.letter = None
        self.platform.pushes.ended(push)

    def _close(self, attempt: Attempt, answer: AnswerKind, monotonic: float) -> None:
        attempt.answer, attempt.ended, attempt.seen = answer, monotonic, "nothing"
        attempt.took_s = round(monotonic - attempt.began, 6)
        self.platform.pushes.settled(attempt)

    def _show_reply(
        self, push: PushRecord, attempt: Attempt, judgement: Judgement, now: float
    ) -> None:
        reply = dict(judgement.reply or {})
        kind = reply.pop("type")
        if kind != "transfer_customer_service":
            attempt.seen = "reply"
        feeds = self.platform.accounts[push.appid].feeds
        feeds.add(push.openid, now, "reply", kind, reply, push.id)

    def _draft(self, push: PushRecord, settings: CallbackSettings, now: float) -> Draft:
        course, chance = push.course, self.platform.chance
        callback = self.platform.accounts[push.appid].callback
        draft = Draft(
            mode=settings.mode,
            format=settings.format,
            token=settings.token,
            key=callback.previous_key if course.key == "previous" else callback.key,
            appid=push.appid,
            to_user=push.identity.to_user,
            openid=push.openid,
            timestamp=int(now + course.timestamp_shift_s),
            nonce=str(int(chance.uniform(10**8, 2 * 10**9))),
            noise=chance.token(8),
            message=push.message,
            clear=push.clear,
            huge_bytes=course.huge_bytes,
            query=push.query if course.replay_of else None,
        )
        if course.attack is not None:
            ATTACKS[course.attack].change(draft)
        return draft

    def _bench(self, push: PushRecord, settings: CallbackSettings, now: float) -> Bench:
        account = self.platform.accounts[push.appid]
        callback = account.callback
        keys = [callback.key, callback.previous_key if push.course.key == "previous" else None]
        return Bench(
            mode=settings.mode,
            format=settings.format,
            token=settings.token,
            keys=tuple(each for each in keys if each is not None),
            appid=push.appid,
            answered=Answered(
                openid=push.openid,
                original_id=account.original_id,
                msg_type=push.identity.msg_type,
                rules=self.rules,
                media=account.media,
                now=now,
            ),
        )


def _is_seen(push: PushRecord) -> bool:
    return push.course.attack is None and push.identity.event not in UNSEEN
