"""The simulation sees the defects it was built to see, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.world import live

SEEDS = 40


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_each_mutant_is_caught_by_a_seed_that_is_clean_without_it(
    mutant: Callable[[pytest.MonkeyPatch], None],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        mutant(patch)
        seed = next((seed for seed in range(SEEDS) if live(seed).violations), None)
    assert seed is not None
    assert live(seed).violations == ()
