"""Messages to users: what they must hold, and the credit that they need."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.media_shelf import Shelf
from tests.emulator.platforms import APPID, NOW, OPENID, account, code_of, form, platform, user
from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.faults import Fault
from zhongkong.emulator.model import WeChatModel
from zhongkong.emulator.request import ApiRequest

SEND = "/cgi-bin/message/custom/send"
TEXT: dict[str, Any] = {"touser": OPENID, "msgtype": "text", "text": {"content": "你好"}}
DAYS_2 = 48 * 3600.0


class Service(Shelf):
    """An account with one follower."""

    def __init__(self, *users: Any, kind: AccountKind = AccountKind.VERIFIED, **rules: Any) -> None:
        super().__init__(
            account(users=users or (user(),), kind=kind), lifetimes_s=(10**6,), **rules
        )

    def meet(self, kind: Any = "message", now: float = NOW) -> None:
        self.model.console.interaction(APPID, OPENID, kind, now)

    def say(self, now: float = NOW, **changes: Any) -> int:
        body = {**TEXT, **changes}
        return code_of(self.model.call(SEND, self.token, now, body=body))

    def codes(self, count: int, now: float = NOW) -> list[int]:
        return [self.say(now) for _ in range(count)]


def texts(model: WeChatModel) -> list[str]:
    return [each.content["content"] for each in model.accounts[APPID].outbox.to(OPENID)]


@pytest.mark.parametrize(
    ("kind", "messages", "within_s"),
    [
        ("message", 5, DAYS_2),
        ("menu_tap", 3, 60),
        ("follow", 3, 60),
        ("scan", 3, 60),
        ("mini_program_message", 5, DAYS_2),
        ("mini_program_enter", 2, 60),
    ],
)
def test_each_interaction_gives_its_credit_for_its_time(
    kind: str, messages: int, within_s: float
) -> None:
    service = Service()
    service.meet(kind)
    assert service.codes(messages + 1, NOW + within_s - 1) == [0] * messages + [45047]
    assert service.say(NOW + within_s) == 45015


def test_without_an_interaction_or_after_a_payment_nothing_may_be_sent() -> None:
    service = Service()
    assert service.say() == 45015
    service.meet("pay")
    assert service.say() == 45015


def test_credits_do_not_add_up_and_the_larger_counts() -> None:
    service = Service()
    service.meet("message")
    assert service.codes(4) == [0] * 4
    service.meet("menu_tap")
    assert service.codes(4) == [0, 0, 0, 45047]
    service.meet("message", NOW + 10)
    assert service.codes(6, NOW + 20) == [0] * 5 + [45047]


def test_what_was_left_of_an_old_credit_is_gone() -> None:
    service = Service()
    service.meet("message")
    service.meet("menu_tap", NOW + DAYS_2)
    assert service.codes(4, NOW + DAYS_2) == [0, 0, 0, 45047]


def test_credits_are_a_parameter() -> None:
    service = Service(message_credits={"message": (20, DAYS_2)})
    service.meet()
    assert service.codes(21) == [0] * 20 + [45047]


def test_who_does_not_follow_gets_nothing_and_following_again_helps() -> None:
    service = Service(user(following=False))
    service.meet("message")
    assert service.say() == 45015
    service.meet("follow")
    assert service.say() == 0


def test_the_user_sees_each_message_once() -> None:
    service = Service()
    service.meet()
    service.say(text={"content": "一"})
    service.say(text={"content": "二"})
    service.say(text={"content": ""})
    assert texts(service.model) == ["一", "二"]
    assert service.model.ledger.effects("message_sent") == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"touser": "nobody"}, 40003, id="an unknown user"),
        pytest.param({"touser": ""}, 41009, id="no user"),
        pytest.param({"touser": 5}, 47001, id="a user that is a number"),
        pytest.param({"msgtype": "smoke"}, 40008, id="an unknown type"),
        pytest.param({"msgtype": None}, 40008, id="no type"),
        pytest.param({"text": {}}, 44004, id="no text"),
        pytest.param({"text": "你好"}, 47001, id="a text that is no object"),
        pytest.param({"text": {"content": 5}}, 47001, id="a text that is a number"),
        pytest.param({"text": {"content": "好" * 682}}, 0, id="2046 bytes of text"),
        pytest.param({"text": {"content": "好" * 683}}, 45002, id="2049 bytes of text"),
        pytest.param({"msgtype": "image"}, 41006, id="no media id"),
        pytest.param({"msgtype": "image", "image": {"media_id": "x"}}, 40007, id="unknown media"),
        pytest.param({"msgtype": "news", "news": {"articles": []}}, 44003, id="no article"),
        pytest.param({"msgtype": "news", "news": {"articles": [{}] * 2}}, 45008, id="two articles"),
        pytest.param({"msgtype": "news", "news": {"articles": [{}]}}, 0, id="one article"),
        pytest.param({"msgtype": "wxcard", "wxcard": {}}, 40035, id="no card"),
        pytest.param({"msgtype": "wxcard", "wxcard": {"card_id": "c"}}, 0, id="a card"),
    ],
)
def test_a_message_is_refused_with_its_code(changes: dict[str, Any], code: int) -> None:
    service = Service()
    service.meet()
    assert service.say(**changes) == code


def test_a_refused_message_costs_no_credit() -> None:
    service = Service()
    service.meet("menu_tap")
    assert service.say(text={"content": ""}) == 44004
    assert service.codes(4) == [0, 0, 0, 45047]


def test_media_of_the_right_kind_can_be_sent_until_they_end() -> None:
    service = Service()
    service.meet()
    media_id = service.upload("image", form(b"x"))["media_id"]
    picture: dict[str, Any] = {"msgtype": "image", "image": {"media_id": media_id}}
    assert service.say(**picture) == 0
    assert service.say(msgtype="voice", voice={"media_id": media_id}) == 40007
    service.meet("message", NOW + 3 * 86_400)
    assert service.say(NOW + 3 * 86_400, **picture) == 40007


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (AccountKind.SUBSCRIPTION, 48001),
        (AccountKind.SERVICE, 48001),
        (AccountKind.SANDBOX, 0),
        (AccountKind.MINI_PROGRAM, 0),
    ],
)
def test_only_verified_accounts_send(kind: AccountKind, code: int) -> None:
    service = Service(kind=kind)
    service.meet()
    assert service.say() == code


def test_a_mini_program_needs_no_follower() -> None:
    service = Service(user(following=False), kind=AccountKind.MINI_PROGRAM)
    service.meet("mini_program_enter")
    assert service.codes(3) == [0, 0, 45047]


def test_a_lost_answer_hides_a_message_that_was_sent() -> None:
    service = Service()
    service.meet()
    model = service.model
    model.faults.add(Fault(kind="errcode", when="after", path=SEND))
    raw = b'{"touser":"%s","msgtype":"text","text":{"content":"x"}}' % OPENID.encode()
    target = f"{SEND}?access_token={service.token}"
    request = ApiRequest.from_wire("POST", target, peer="127.0.0.1", body=raw)
    assert code_of(model.perform(request, NOW, model.course(request))) == -1
    assert model.ledger.effects("message_sent") == 1


def template(service: Service, **changes: Any) -> dict[str, Any]:
    body = {"touser": OPENID, "template_id": "T" * 43, "data": {"first": {"value": "x"}}, **changes}
    return service.model.call("/cgi-bin/message/template/send", service.token, NOW, body=body)


def test_a_template_needs_no_credit_and_has_a_number() -> None:
    service = Service()
    first, second = template(service), template(service)
    assert first["errcode"] == 0
    assert isinstance(first["msgid"], int)
    assert first["msgid"] < second["msgid"]
    (sent, _) = service.model.accounts[APPID].outbox.to(OPENID)
    assert (sent.via, sent.content["data"]) == ("template", {"first": {"value": "x"}})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"touser": "nobody"}, 40003),
        ({"template_id": ""}, 40037),
        ({"template_id": "T" * 129}, 40037),
        ({"data": None}, 47001),
    ],
)
def test_a_template_is_refused_with_its_code(changes: dict[str, Any], code: int) -> None:
    assert code_of(template(Service(), **changes)) == code


def test_a_template_goes_to_followers_only() -> None:
    assert code_of(template(Service(user(following=False)))) == 43004


def info(model: WeChatModel, token: str, openid: str) -> dict[str, Any]:
    return model.call("/cgi-bin/user/info", token, NOW, query={"openid": openid})


def test_user_info_tells_followers_and_strangers_apart() -> None:
    service = Service(user(tags=(2, 7), unionid="u1"), user("o2", following=False))
    shown = info(service.model, service.token, OPENID)
    assert (shown["subscribe"], shown["tagid_list"], shown["unionid"]) == (1, [2, 7], "u1")
    assert info(service.model, service.token, "o2") == {"subscribe": 0, "openid": "o2"}
    assert code_of(info(service.model, service.token, "o3")) == 40003
    assert code_of(info(service.model, service.token, "")) == 41009


def test_a_path_can_answer_40001_whatever_the_token() -> None:
    model = platform()
    model.faults.add(Fault(kind="errcode", path="/cgi-bin/user/info", errcode=40001))
    for each in range(3):
        token = model.token(APPID, model.accounts[APPID].secret, NOW + each)["access_token"]
        for path, code in (("/cgi-bin/user/info", 40001), ("/cgi-bin/getcallbackip", 0)):
            request = ApiRequest(method="GET", path=path, query={"access_token": token})
            course = model.course(request)
            assert code_of(model.perform(request, NOW + each, course)) == code
    assert model.ledger.refusals(40001, "/cgi-bin/user/info") == 3
    assert model.ledger.dead_uses() == 0
