"""Load: many pushes by one call, and their sum."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.emulator.callbacks.conftest import Client, Configure
from tests.emulator.callbacks.receivers import HANG, Receiver
from tests.emulator.platforms import APPID
from tests.emulator.test_control import control
from zhongkong.emulator.callbacks.spread import Spread

BULK = f"/accounts/{APPID}/pushes/bulk"


@pytest.fixture
async def ready(configure: Configure) -> None:
    await configure()


async def run(wechat: Client, *, wait_s: float = 20, **wish: Any) -> dict[str, Any]:
    return await control(wechat, "POST", f"{BULK}?wait_s={wait_s}", wish)


async def test_every_push_of_a_bulk_is_a_message_of_its_own(
    ready: None, wechat: Client, receiver: Receiver
) -> None:
    done = await run(wechat, count=60, users=7, concurrency=8, push={"text": "m{n}"})
    assert (done["state"], done["begun"], done["outcomes"]) == ("done", 60, {"answered": 60})
    fields = [each.fields() for each in receiver.posts]
    assert {each["Content"] for each in fields} == {f"m{number}" for number in range(60)}
    assert len({each["MsgId"] for each in fields}) == 60
    assert len({each["FromUserName"] for each in fields}) == 7


async def test_numbers_reach_into_fields_and_events(
    ready: None, wechat: Client, receiver: Receiver
) -> None:
    wish = {"event": "scancode_push", "key": "K{n}", "fields": {"ScanCodeInfo": {"R": ["{n}"]}}}
    await run(wechat, count=2, push=wish)
    seen = {
        (each.fields()["EventKey"], str(each.fields()["ScanCodeInfo"])) for each in receiver.posts
    }
    assert {key for key, _ in seen} == {"K0", "K1"}
    assert len(seen) == 2


async def test_the_summary_counts_tries_answers_and_times(
    ready: None, wechat: Client, receiver: Receiver
) -> None:
    receiver.answers = [(500, b""), b"success"]
    done = await run(wechat, count=5, concurrency=1, push={"user": "oA", "text": "x"})
    assert (done["tries"], done["answers"]) == (6, {"status": 1, "success": 5})
    assert done["statuses"] == {"500": 1, "200": 5}
    assert 0 < done["answer_s"]["p50"] <= done["answer_s"]["p99"] <= done["answer_s"]["max"]
    assert (done["first_push"], done["last_push"]) == ("p1", "p5")
    assert done["pushes_per_s"] > 0


async def test_the_reconciliation_covers_a_bulk(ready: None, wechat: Client) -> None:
    await run(wechat, count=30, users=3, push={"click": "K{n}"})
    view = await control(wechat, "GET", "/reconciliation")
    assert Counter(each["ok"] for each in view["pushes"]) == {True: 30}
    assert {each["identity"]["event_key"] for each in view["pushes"]} == {
        f"K{number}" for number in range(30)
    }


async def test_no_more_than_the_concurrency_is_under_way(
    ready: None, wechat: Client, receiver: Receiver
) -> None:
    await run(wechat, count=40, concurrency=3, push={"text": "x"})
    assert receiver.most_running <= 3


async def test_a_rate_spreads_the_pushes(ready: None, wechat: Client) -> None:
    done = await run(wechat, count=20, rate_per_s=100, push={"text": "x"})
    assert done["took_s"] >= 0.19


async def test_a_bulk_goes_on_without_its_caller_and_can_be_stopped(
    ready: None, wechat: Client, receiver: Receiver
) -> None:
    receiver.answers = [HANG]
    begun = await run(wechat, wait_s=0, count=1000, concurrency=2, push={"text": "x"})
    assert begun["state"] == "running"
    shown = await control(wechat, "GET", f"/bulks/{begun['id']}")
    assert shown["state"] == "running"
    stopped = await control(wechat, "DELETE", f"/bulks/{begun['id']}")
    assert stopped["state"] == "stopped"
    assert stopped["outcomes"] == {"stopped": stopped["begun"]}


async def test_a_bulk_ends_when_the_callback_is_taken_away(ready: None, wechat: Client) -> None:
    begun = await run(wechat, wait_s=0, count=1_000_000, rate_per_s=100, push={"text": "x"})
    await control(wechat, "DELETE", f"/accounts/{APPID}/callback")
    ended = await control(wechat, "GET", f"/bulks/{begun['id']}?wait_s=5")
    assert ended["state"] == "refused"
    assert "has no callback" in ended["problem"]


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"push": {"text": "x"}}, "count"),
        ({"count": 1}, "push"),
        ({"count": 0, "push": {"text": "x"}}, "count"),
        ({"count": 1, "push": {}}, "nothing to push"),
        ({"count": 1, "push": {"text": "x", "course": {"key": "previous"}}}, "previous"),
        ({"count": 1, "push": {"text": "x"}, "rate_per_s": 0}, "rate_per_s"),
        ({"count": 1, "push": {"text": "x"}, "concurrency": 9999}, "concurrency"),
    ],
)
async def test_a_bad_bulk_is_refused(ready: None, wechat: Client, wish: Any, word: str) -> None:
    assert word in (await control(wechat, "POST", BULK, wish, status=400))["detail"]


async def test_an_unknown_bulk_is_404(wechat: Client) -> None:
    await control(wechat, "GET", "/bulks/b9", status=404)
    await control(wechat, "DELETE", "/bulks/b9", status=404)


def test_quantiles_are_right_to_two_percent() -> None:
    spread = Spread()
    assert spread.quantile(0.5) is None
    for number in range(1, 1001):
        spread.add(number / 1000)
    for share in (0.5, 0.95, 0.99, 1.0):
        assert spread.quantile(share) == pytest.approx(share, rel=0.021)
    assert spread.most == 1.0
