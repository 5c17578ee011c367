"""What the answers of the shards tell: is it the store that we knew, how full is it?"""

from __future__ import annotations

from callback_gateway.inbox.redis_life import COUNT_AGAIN_S, Fullness, Life, Lives, Loss

OLD, NEW, EMPTY = Life("old", 7), Life("new", 1), Life("", 0)


def known(*seen: Life) -> Lives:
    lives = Lives()
    for life in seen:
        assert lives.see(0, lives.known(0), life) is None
    return lives


def test_what_was_never_used_has_nothing_to_lose() -> None:
    lives = known(EMPTY, EMPTY, OLD)
    assert lives.known(0) == OLD


def test_a_growing_count_is_the_same_life() -> None:
    assert known(OLD, Life("old", 9)).known(0) == Life("old", 9)


def test_another_name_is_a_loss() -> None:
    loss = known(OLD).see(0, OLD, NEW)
    assert loss == Loss(0, OLD, NEW)
    assert loss.emptied


def test_a_lower_count_is_a_step_back_in_time() -> None:
    loss = known(OLD).see(0, OLD, Life("old", 6))
    assert loss is not None
    assert not loss.emptied


def test_an_answer_that_was_overtaken_is_no_loss() -> None:
    lives = known(OLD)
    before = lives.known(0)
    assert lives.see(0, before, Life("old", 9)) is None
    assert lives.see(0, before, Life("old", 8)) is None
    assert lives.known(0) == Life("old", 9)


def test_a_loss_that_several_answers_tell_of_is_one() -> None:
    lives = known(OLD)
    assert lives.see(0, OLD, NEW) is not None
    assert lives.see(0, OLD, NEW) is None
    assert lives.see(0, NEW, NEW) is None


def test_shards_are_known_one_by_one() -> None:
    lives = known(OLD)
    assert lives.known(1) is None
    assert lives.see(1, None, NEW) is None


def test_every_shard_is_counted_before_the_first_arrival() -> None:
    fullness = Fullness(limit=10, shards=2)
    fullness.hear(0, 1)
    fullness.counted(0.0)
    assert fullness.needs_counting(0.0, arriving=1)
    fullness.hear(1, 2)
    assert not fullness.needs_counting(0.0, arriving=1)


def test_shards_are_counted_again_after_a_while_and_when_nearly_full() -> None:
    fullness = Fullness(limit=10, shards=2)
    fullness.hear(0, 3)
    fullness.hear(1, 3)
    fullness.counted(0.0)
    assert fullness.needs_counting(COUNT_AGAIN_S, arriving=1)
    assert not fullness.needs_counting(0.5, arriving=4)
    assert fullness.needs_counting(0.5, arriving=5)


def test_room_is_what_the_other_shards_leave() -> None:
    fullness = Fullness(limit=10, shards=2)
    fullness.hear(0, 3)
    fullness.hear(1, 4)
    assert (fullness.room_of(0), fullness.room_of(1)) == (6, 7)
