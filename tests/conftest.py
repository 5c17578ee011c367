"""What every test may use: real servers. What only one folder needs is in that folder."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = [
    "pytester",
    "tests.fixtures.redis",
    "tests.fixtures.sentinel",
    "tests.guarantees.plugin",
]

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")
