"""WeChat's own times, on a clock that the test holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.callbacks.receivers import KEY, TOKEN, Receiver
from tests.emulator.clocks import HeldClock
from tests.emulator.platforms import APPID, NOW, OPENID, account
from zhongkong.emulator.callbacks.configuration import CallbackSettings
from zhongkong.emulator.callbacks.course import PushCourse
from zhongkong.emulator.callbacks.messages import PushWish
from zhongkong.emulator.callbacks.office import PostOffice
from zhongkong.emulator.callbacks.records import PushRecord
from zhongkong.emulator.world import Setup, World


class Post:
    """An office at a world that stands still."""

    def __init__(self, url: str) -> None:
        settings = CallbackSettings(url=url, token=TOKEN, aes_key=KEY)
        self.clock = HeldClock()
        self.world = World(Setup(accounts=(account(callback=settings),)), self.clock, seed=1)
        self.office = PostOffice(self.world)

    async def push(self, **course: Any) -> PushRecord:
        wish = PushWish(user=OPENID, text="x", course=PushCourse(**course))
        (parcel,) = self.office.send(APPID, [wish])
        await self.office.carry(parcel)
        await self.office.close()
        return parcel.push


@pytest.fixture
def post(receiver: Receiver) -> Post:
    return Post(receiver.url)


async def test_three_deliveries_come_five_seconds_apart(post: Post, receiver: Receiver) -> None:
    receiver.answers = [(500, b"")]
    push = await post.push()
    assert [each.at - NOW for each in push.attempts] == [0, 5, 10]
    assert post.clock.slept == [5, 5]


async def test_the_message_keeps_its_time_the_envelope_does_not(
    post: Post, receiver: Receiver
) -> None:
    receiver.answers = [(500, b"")]
    await post.push()
    assert [each.query["timestamp"] for each in receiver.posts] == [
        str(int(NOW + after)) for after in (0, 5, 10)
    ]
    assert {each.fields()["CreateTime"] for each in receiver.posts} == {str(int(NOW))}


async def test_a_push_may_be_held_back(post: Post) -> None:
    push = await post.push(delay_s=30)
    assert push.attempts[0].at == NOW + 30


async def test_a_duplicate_may_come_later(post: Post) -> None:
    push = await post.push(duplicates=2, duplicate_after_s=7)
    assert [each.at - NOW for each in push.attempts] == [0, 7, 14]


async def test_a_frozen_clock_stops_no_retry(post: Post, receiver: Receiver) -> None:
    post.world.time.freeze()
    receiver.answers = [(500, b""), b"success"]
    push = await post.push()
    assert (push.outcome, [each.at for each in push.attempts]) == ("answered", [NOW, NOW])
