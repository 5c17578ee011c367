from __future__ import annotations

from zhongkong.wechat.failover import HostOrder


def order() -> HostOrder:
    return HostOrder(["a", "b", "c"], return_after_s=300)


def test_at_first_the_hosts_are_tried_in_their_order() -> None:
    assert order().candidates(0) == ("a", "b", "c")


def test_the_host_that_worked_stays_first() -> None:
    hosts = order()

    assert hosts.reached("b", 10)
    assert hosts.candidates(11) == ("b", "a", "c")


def test_reaching_the_current_host_is_no_failover() -> None:
    assert not order().reached("a", 10)


def test_after_a_while_the_first_host_is_tried_again() -> None:
    hosts = order()
    hosts.reached("c", 10)

    assert hosts.candidates(310) == ("a", "c", "b")


def test_only_one_call_pays_for_trying_the_first_host_again() -> None:
    hosts = order()
    hosts.reached("b", 10)
    hosts.candidates(310)

    assert hosts.candidates(311) == ("b", "a", "c")
    assert hosts.candidates(610) == ("a", "b", "c")


def test_back_at_the_first_host_everything_is_as_before() -> None:
    hosts = order()
    hosts.reached("b", 10)

    assert hosts.reached("a", 310)
    assert hosts.candidates(10_000) == ("a", "b", "c")
