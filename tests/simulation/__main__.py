"""`python -m tests.simulation --seeds 1000 --first-seed 0`: the last line is the summary."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.world import live
from zhongkong.runtime.clock import SystemClock


def main() -> int:
    """Exit 1 when a seed shows a violation; each one is printed with how to replay it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args()
    failed = calls = crashes = 0
    clock = SystemClock()
    started = clock.monotonic()
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        verdict = live(seed)
        calls += verdict.calls
        crashes += verdict.crashes
        if verdict.violations:
            failed += 1
            print(f"seed {seed} (replay: make simulate SEEDS=1 FIRST_SEED={seed})")
            for violation in verdict.violations[:5]:
                print(f"    {violation}")
    per_seed_s = (clock.monotonic() - started) / max(arguments.seeds, 1)
    print(
        f"{arguments.seeds} seeds, {failed} with violations, {calls} token calls, "
        f"{crashes} crashes, {per_seed_s:.3f} s a seed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
