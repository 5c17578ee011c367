"""Lives of a small world, in which nothing happens that must not. `make simulate` plays more."""

from __future__ import annotations

import pytest

from tests.simulation.world import live

SEEDS, CHUNK = 100, 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_shows_a_violation(first: int) -> None:
    verdicts = [live(seed) for seed in range(first, first + CHUNK)]
    assert [verdict for verdict in verdicts if verdict.violations] == []


def test_a_seed_replays() -> None:
    assert live(7) == live(7)


def test_the_seeds_differ() -> None:
    assert live(7).calls != live(8).calls or live(7).crashes != live(8).crashes
