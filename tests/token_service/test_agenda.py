"""Who is woken when."""

from __future__ import annotations

from hypothesis import given, strategies as st

from token_service.agenda import Agenda


def test_all_whose_time_has_come_are_taken_out_once() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("a", 3.0)
    agenda.put("b", 1.0)
    agenda.put("c", 9.0)
    assert agenda.pop_due(5.0) == ["b", "a"]
    assert agenda.pop_due(5.0) == []
    assert agenda.next_at() == 9.0


def test_a_later_word_replaces_an_earlier_one() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("a", 1.0)
    agenda.put("a", 7.0)
    assert agenda.pop_due(5.0) == []
    agenda.put("a", 2.0)
    assert agenda.pop_due(5.0) == ["a"]
    assert agenda.next_at() == float("inf")


def test_who_was_dropped_is_not_woken() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("a", 1.0)
    agenda.drop("a")
    agenda.drop("never put")
    assert agenda.next_at() == float("inf")
    assert agenda.pop_due(5.0) == []


def test_the_same_time_twice_wakes_once() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("a", 1.0)
    agenda.put("a", 1.0)
    assert agenda.pop_due(1.0) == ["a"]
    assert agenda.pop_due(1.0) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.floats(0, 100))))
def test_an_agenda_is_a_dictionary_in_the_order_of_times(
    orders: list[tuple[int, float | None]],
) -> None:
    agenda: Agenda[int] = Agenda()
    due: dict[int, float] = {}
    for key, at in orders:
        if at is None:
            agenda.drop(key)
            due.pop(key, None)
        else:
            agenda.put(key, at)
            due[key] = at
    assert agenda.next_at() == min(due.values(), default=float("inf"))
    taken = agenda.pop_due(50.0)
    assert sorted(taken) == sorted(key for key, at in due.items() if at <= 50.0)
    assert [due[key] for key in taken] == sorted(due[key] for key in taken)
