"""Pushes over HTTP: tries, deadlines, retries, duplicates, order, and what is written down."""

from __future__ import annotations

import asyncio
import hashlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.emulator.callbacks.conftest import Client, Configure, Push
from tests.emulator.callbacks.receivers import (
    HANG,
    KEY,
    ORIGINAL_ID,
    RESET,
    TOKEN,
    Receiver,
    sealed,
    text_reply,
    until,
)
from tests.emulator.platforms import APPID, OPENID, OTHER_APPID
from tests.emulator.test_control import control
from tests.emulator.test_fuzz import JSON, encodable
from tests.fixtures.redis import free_port
from zhongkong.emulator.callbacks.configuration import CallbackSettings
from zhongkong.emulator.world import World

PUSHES = f"/accounts/{APPID}/pushes"
TEXT = {"user": OPENID, "text": "买入"}


def answers(pushed: dict[str, Any]) -> list[str]:
    return [each["answer"] for each in pushed["tries"]]


async def test_a_push_arrives_and_its_record_says_how_it_went(
    push: Push, receiver: Receiver
) -> None:
    pushed = await push(TEXT)
    (seen,) = receiver.posts
    assert seen.fields()["Content"] == "买入"
    assert seen.headers["Content-Type"] == "text/xml"
    assert (pushed["outcome"], pushed["seen"]) == ("answered", "nothing")
    (tried,) = pushed["tries"]
    assert (tried["status"], tried["answer"], tried["ok"]) == (200, "success", True)
    assert tried["body_sha256"] == hashlib.sha256(seen.body).hexdigest()
    assert tried["body_bytes"] == len(seen.body)
    assert tried["took_s"] > 0
    assert pushed["message_sha256"] == hashlib.sha256(seen.decrypted().encode()).hexdigest()


async def test_the_identity_is_what_the_receiver_can_tell_too(
    push: Push, receiver: Receiver
) -> None:
    identity = (await push(TEXT))["identity"]
    fields = receiver.posts[0].fields()
    assert identity["msg_id"] == fields["MsgId"]
    assert identity["to_user"] == fields["ToUserName"] == ORIGINAL_ID
    assert str(identity["create_time"]) == fields["CreateTime"]
    tapped = (await push({"user": OPENID, "click": "BUY"}))["identity"]
    assert (tapped["event"], tapped["event_key"]) == ("CLICK", "BUY")


async def test_a_reply_is_what_the_user_sees(push: Push, receiver: Receiver) -> None:
    receiver.answers = [sealed(text_reply(OPENID, "已买入"))]
    pushed = await push(TEXT)
    assert (pushed["outcome"], pushed["seen"]) == ("answered", "reply")
    assert answers(pushed) == ["encrypted_reply"]


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ((500, b"success"), "status"),
        (RESET, "connection"),
        (b'{"errcode":0}', "malformed"),
        (text_reply(OPENID).encode(), "not_encrypted"),
        (sealed(text_reply("oOther")), "bad_names"),
    ],
)
async def test_a_failed_try_is_followed_by_another(
    push: Push, receiver: Receiver, bad: Any, kind: str
) -> None:
    receiver.answers = [bad, b"success"]
    pushed = await push(TEXT)
    assert answers(pushed) == [kind, "success"]
    assert pushed["outcome"] == "answered"


async def test_tries_carry_the_same_message_in_fresh_envelopes(
    push: Push, receiver: Receiver
) -> None:
    receiver.answers = [(500, b""), b"success"]
    await push(TEXT)
    first, second = receiver.posts
    assert first.decrypted() == second.decrypted()
    assert first.query["nonce"] != second.query["nonce"]


async def test_or_identical_bytes_where_that_is_switched(push: Push, receiver: Receiver) -> None:
    receiver.answers = [(500, b""), b"success"]
    await push({**TEXT, "course": {"signs_anew": False}})
    first, second = receiver.posts
    assert (first.body, first.query) == (second.body, second.query)


async def test_after_the_last_try_the_user_sees_the_banner(
    push: Push, receiver: Receiver, wechat: Client
) -> None:
    receiver.answers = [(500, b"")]
    pushed = await push(TEXT)
    assert (pushed["outcome"], pushed["seen"], len(pushed["tries"])) == ("failed", "banner", 3)
    assert [each["seen"] for each in pushed["tries"]] == ["nothing", "nothing", "banner"]
    feed = await control(wechat, "GET", f"/accounts/{APPID}/users/{OPENID}/feed")
    assert [each["kind"] for each in feed["entries"]] == ["sent", "banner"]
    assert "故障" in feed["entries"][1]["content"]["text"]


async def test_what_nobody_waits_for_fails_without_a_banner(push: Push, receiver: Receiver) -> None:
    receiver.answers = [(500, b"")]
    pushed = await push({"user": OPENID, "event": "TEMPLATESENDJOBFINISH"})
    assert (pushed["outcome"], pushed["seen"]) == ("failed", "nothing")


async def test_a_refused_connection_is_retried_at_the_cadence(
    configure: Configure, wechat: Client
) -> None:
    await configure(url=f"http://127.0.0.1:{free_port()}/", verify=False)
    pushed = await control(wechat, "POST", f"{PUSHES}?wait_s=5", TEXT)
    assert answers(pushed) == ["connection"] * 3
    starts = [each["at"] for each in pushed["tries"]]
    assert all(later - earlier >= 0.018 for earlier, later in pairwise(starts))


async def test_or_at_once_where_that_is_switched(
    configure: Configure, wechat: Client, rules: Any
) -> None:
    rules(push_cadence_s=3600)
    await configure(url=f"http://127.0.0.1:{free_port()}/", verify=False)
    wish = {**TEXT, "course": {"error_retried": "at_once"}}
    pushed = await control(wechat, "POST", f"{PUSHES}?wait_s=5", wish)
    assert answers(pushed) == ["connection"] * 3


async def test_a_handler_that_is_too_slow_is_cut_off_and_asked_again(
    push: Push, receiver: Receiver
) -> None:
    receiver.answers = [HANG, b"success"]
    pushed = await push({**TEXT, "course": {"deadline_s": 0.05, "cadence_s": 0.05}})
    assert answers(pushed) == ["timeout", "success"]
    assert pushed["tries"][0]["took_s"] >= 0.045


async def test_a_retry_comes_while_the_first_handler_still_runs(
    push: Push, receiver: Receiver, wechat: Client
) -> None:
    receiver.answers = [HANG, b"success"]
    pushed = await push({**TEXT, "course": {"cadence_s": 0.02}}, wait_s=0)
    await until(lambda: len(receiver.posts) == 2)
    assert receiver.most_running == 2
    receiver.let_go.set()
    assert answers(await settled(wechat, pushed["id"])) == ["success", "success"]


async def settled(wechat: Client, push_id: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            found = await control(wechat, "GET", f"/pushes/{push_id}")
            if found["outcome"] != "under_way":
                return found


async def test_an_answer_after_the_deadline_is_too_late(
    push: Push, receiver: Receiver, wechat: Client
) -> None:
    receiver.answers = [HANG]
    course = {"tries": 1, "deadline_s": 0.02, "keep_open_s": 5}
    pushed = await push({**TEXT, "course": course}, wait_s=0.1)
    assert pushed["tries"][0]["answer"] is None
    assert receiver.running == 1
    receiver.let_go.set()
    ended = await settled(wechat, pushed["id"])
    assert (answers(ended), ended["outcome"]) == (["late"], "failed")


async def test_a_duplicate_comes_although_the_first_was_answered(
    push: Push, receiver: Receiver, wechat: Client
) -> None:
    receiver.answers = [sealed(text_reply(OPENID))]
    pushed = await push({**TEXT, "course": {"duplicates": 2}})
    assert [each["repeat"] for each in pushed["tries"]] == [False, True, True]
    assert len({each.decrypted() for each in receiver.posts}) == 1
    feed = await control(wechat, "GET", f"/accounts/{APPID}/users/{OPENID}/feed")
    assert [each["kind"] for each in feed["entries"]] == ["sent", "reply"]


async def test_a_list_arrives_in_the_order_that_was_asked_for(
    push: Push, receiver: Receiver
) -> None:
    wishes = [{"user": OPENID, "text": f"{number}"} for number in range(4)]
    pushed = await push({"pushes": wishes, "order": "reversed"})
    assert [each.fields()["Content"] for each in receiver.posts] == ["3", "2", "1", "0"]
    ids = [int(each["identity"]["msg_id"]) for each in pushed["pushes"]]
    assert ids == sorted(ids)


async def test_a_shuffled_list_arrives_whole(push: Push, receiver: Receiver) -> None:
    wishes = [{"user": OPENID, "text": f"{number}"} for number in range(8)]
    await push({"pushes": wishes, "order": "shuffled"})
    arrived = [each.fields()["Content"] for each in receiver.posts]
    assert sorted(arrived) == [str(number) for number in range(8)]
    assert arrived != sorted(arrived)


async def test_a_list_with_a_gap_does_not_wait_for_answers(push: Push, receiver: Receiver) -> None:
    receiver.answers = [HANG]
    once = {**TEXT, "course": {"tries": 1}}
    await push({"pushes": [once, once], "gap_s": 0}, wait_s=0)
    await until(lambda: receiver.running == 2)


async def test_one_msgid_may_be_given_to_two_users(push: Push, receiver: Receiver) -> None:
    wishes = [{"user": "oA", "text": "x"}, {"user": "oB", "text": "x"}]
    await push({"pushes": wishes, "one_msg_id": True})
    first, second = (each.fields() for each in receiver.posts)
    assert first["MsgId"] == second["MsgId"]
    assert first["FromUserName"] != second["FromUserName"]


async def test_an_attack_that_is_taken_shows_as_answered(push: Push, receiver: Receiver) -> None:
    receiver.answers = [(403, b"")]
    pushed = await push({**TEXT, "course": {"attack": "wrong_token"}})
    assert (pushed["outcome"], pushed["seen"], answers(pushed)) == ("failed", "nothing", ["status"])
    receiver.answers = [b"success"]
    pushed = await push({**TEXT, "course": {"attack": "wrong_token"}})
    assert (pushed["attack"], pushed["outcome"]) == ("wrong_token", "answered")


async def test_an_altered_replay_uses_the_query_that_was_sent(
    push: Push, receiver: Receiver, configure: Configure
) -> None:
    await configure(mode="plaintext")
    genuine = await push(TEXT)
    course = {"attack": "altered_replay", "replay_of": genuine["id"]}
    await push({"user": OPENID, "text": "卖出", "course": course})
    first, second = receiver.posts[-2:]
    assert first.query == second.query
    assert "卖出".encode() in second.body


async def test_timestamps_follow_the_emulators_clock(
    push: Push, receiver: Receiver, wechat: Client, world: World
) -> None:
    await control(wechat, "POST", "/clock", {"advance_s": 86400})
    await push(TEXT)
    (seen,) = receiver.posts
    assert abs(int(seen.query["timestamp"]) - world.time.now()) < 10
    assert seen.fields()["CreateTime"] == seen.query["timestamp"]


async def test_the_urls_own_query_stays(
    push: Push, receiver: Receiver, configure: Configure
) -> None:
    await configure(url=f"{receiver.url}?shop=1&x=%2F")
    await push(TEXT)
    assert (receiver.posts[-1].query["shop"], receiver.posts[-1].query["x"]) == ("1", "/")


async def test_an_answer_without_end_is_not_read_to_its_end(push: Push, receiver: Receiver) -> None:
    receiver.answers = [b"x" * 300_000]
    pushed = await push({**TEXT, "course": {"tries": 1}})
    assert answers(pushed) == ["too_large"]


async def test_a_redirect_is_not_followed(push: Push, receiver: Receiver) -> None:
    receiver.answers = [(302, b"")]
    assert answers(await push({**TEXT, "course": {"tries": 1}})) == ["status"]


# ---------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({}, "nothing to push"),
        ({"text": "a", "click": "b"}, "text and click"),
        ({"text": "a", "course": {"attack": "charm"}}, "wrong_token"),
        ({"text": "a", "course": {"tires": 3}}, "tires"),
        ({"text": "a", "colour": "red"}, "colour"),
        ({"pushes": []}, "pushes"),
        ({"pushes": [{}]}, "nothing to push"),
        ({"pushes": [TEXT], "order": "random"}, "shuffled"),
        ({"text": "a", "fields": {"MsgId": 2**70}}, "fields"),
        ({"text": "a", "course": {"clear_fields": {"Content": "b"}}}, "compatible"),
    ],
)
async def test_a_bad_push_is_refused_and_sends_nothing(
    push: Push, receiver: Receiver, wish: Any, word: str
) -> None:
    assert word in (await push(wish, status=400))["detail"]
    assert receiver.posts == []


async def test_a_list_with_a_bad_push_in_it_pushes_nothing(
    push: Push, receiver: Receiver, world: World
) -> None:
    bad = {"text": "a", "course": {"key": "previous"}}
    assert "previous" in (await push({"pushes": [TEXT, bad]}, status=400))["detail"]
    assert (receiver.posts, len(world.model.platform.pushes.pushes)) == ([], 0)


async def test_a_push_needs_an_account_and_a_callback(wechat: Client) -> None:
    await control(wechat, "POST", f"/accounts/{OTHER_APPID}/pushes", TEXT, status=404)
    refused = await control(wechat, "POST", PUSHES, TEXT, status=400)
    assert f"PUT /_emulator/accounts/{APPID}/callback" in refused["detail"]


async def test_an_unknown_push_is_404(wechat: Client) -> None:
    assert "p9" in (await control(wechat, "GET", "/pushes/p9", status=404))["detail"]


# ---------------------------------------------------------------------------------- the books


async def test_callbacks_are_listed_filtered_and_paged(
    push: Push, receiver: Receiver, wechat: Client
) -> None:
    receiver.answers = [(500, b""), b"success"]
    await push({"user": "oA", "text": "1"})
    await push({"user": "oB", "text": "2"})
    every = (await control(wechat, "GET", f"/callbacks?appid={APPID}"))["callbacks"]
    assert [(each["push"], each["try"]) for each in every] == [("p1", 1), ("p1", 2), ("p2", 1)]
    page = await control(wechat, "GET", f"/callbacks?after={every[0]['seq']}&count=1")
    assert [each["seq"] for each in page["callbacks"]] == [every[1]["seq"]]
    assert (page["next"], page["left_off"]) == (every[1]["seq"], 1)
    for query, count in (
        ("user=oB", 1),
        ("push=p1", 2),
        ("answer=status", 1),
        ("attack=dtd", 0),
        (f"appid={OTHER_APPID}", 0),
    ):
        found = await control(wechat, "GET", f"/callbacks?{query}")
        assert len(found["callbacks"]) == count, query
    await control(wechat, "GET", "/callbacks?answer=maybe", status=400)


async def test_the_reconciliation_says_which_pushes_were_answered_well(
    push: Push, receiver: Receiver, wechat: Client
) -> None:
    receiver.answers = [b"success", (500, b"")]
    good = await push(TEXT)
    bad = await push({**TEXT, "course": {"tries": 1}})
    view = await control(wechat, "GET", f"/reconciliation?appid={APPID}")
    assert [(each["id"], each["ok"]) for each in view["pushes"]] == [
        (good["id"], True),
        (bad["id"], False),
    ]
    assert view["pushes"][0]["identity"] == good["identity"]
    failed = await control(wechat, "GET", "/reconciliation?outcome=failed")
    assert [each["id"] for each in failed["pushes"]] == [bad["id"]]
    rest = await control(wechat, "GET", f"/reconciliation?after={view['pushes'][0]['seq']}")
    assert [each["id"] for each in rest["pushes"]] == [bad["id"]]


async def test_the_books_are_bounded_and_the_totals_exact(
    push: Push, wechat: Client, rules: Any
) -> None:
    rules(pushes_held=2, callbacks_held=1)
    for _ in range(4):
        await push(TEXT)
    view = await control(wechat, "GET", "/reconciliation")
    assert ([each["id"] for each in view["pushes"]], view["forgotten"]) == (["p3", "p4"], 2)
    listed = await control(wechat, "GET", "/callbacks")
    assert (len(listed["callbacks"]), listed["forgotten"]) == (1, 3)
    totals = await control(wechat, "GET", "/ledger/totals")
    assert totals["pushes"] == {APPID: {"answered": 4}}
    assert totals["callbacks"] == {APPID: {"success": 4}}


# ---------------------------------------------------------------------------------- ends


async def test_a_call_that_does_not_wait_is_answered_at_once(
    push: Push, receiver: Receiver, wechat: Client
) -> None:
    receiver.answers = [HANG]
    pushed = await push(TEXT, wait_s=0)
    assert (pushed["outcome"], pushed["seen"]) == ("under_way", None)
    receiver.let_go.set()
    assert (await settled(wechat, pushed["id"]))["outcome"] == "answered"


async def test_a_reset_drops_what_is_under_way(
    push: Push, receiver: Receiver, wechat: Client, world: World
) -> None:
    receiver.answers = [HANG]
    pushed = await push({"pushes": [TEXT, TEXT]}, wait_s=0)
    book = world.model.platform.pushes
    await control(wechat, "POST", "/reset")
    assert [book.pushes[each["id"]].outcome for each in pushed["pushes"]] == ["stopped"] * 2
    await control(wechat, "GET", f"/pushes/{pushed['pushes'][0]['id']}", status=404)


async def test_taking_the_callback_away_stops_its_pushes(
    push: Push, receiver: Receiver, wechat: Client
) -> None:
    receiver.answers = [HANG]
    pushed = await push({**TEXT, "course": {"deadline_s": 0.05, "cadence_s": 0.05}}, wait_s=0)
    await until(lambda: bool(receiver.posts))
    await control(wechat, "DELETE", f"/accounts/{APPID}/callback")
    assert (await settled(wechat, pushed["id"]))["outcome"] == "stopped"


async def test_the_url_that_is_put_meanwhile_gets_the_next_try(
    push: Push, receiver: Receiver, configure: Configure, wechat: Client
) -> None:
    await configure(url=f"http://127.0.0.1:{free_port()}/", verify=False)
    course = {"cadence_s": 0.05, "tries": 20}
    pushed = await push({**TEXT, "course": course}, wait_s=0.05)
    assert pushed["outcome"] == "under_way"
    await control(
        wechat,
        "PUT",
        f"/accounts/{APPID}/callback",
        {"url": receiver.url, "token": TOKEN, "aes_key": KEY, "verify": False},
    )
    assert (await settled(wechat, pushed["id"]))["outcome"] == "answered"


# ---------------------------------------------------------------------------------- garbage


@given(body=JSON, where=st.sampled_from(["wish", "fields", "course", "pushes", "clear_fields"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_any_json_is_a_sound_or_a_refused_push(
    wechat: Client, world: World, body: Any, where: str
) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    callback = CallbackSettings(url=url, token=TOKEN, aes_key=KEY, mode="compatible")
    world.model.accounts[APPID].callback.put(callback)
    course = {"tries": 1, "clear_fields": body} if where == "clear_fields" else {"tries": 1}
    wish = {
        "wish": body,
        "fields": {"fields": {"MsgType": "text", "Content": body}, "course": course},
        "course": {"text": "x", "course": body},
        "pushes": {"pushes": body},
        "clear_fields": {"text": "x", "course": course},
    }[where]
    response = await wechat.post(f"/_emulator{PUSHES}?wait_s=1", data=encodable(wish))
    assert response.status in {200, 400}
    assert isinstance(await response.json(), dict)
