"""Where the processes of these folders come from: each begins with the code loaded already.

The gateway whose memory the fuzz test measures is started anew, as are installed commands.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.callback_gateway.loaded import LOADED
from tests.fixtures.processes import Launch
from tests.fixtures.warm import warm


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    with warm(*LOADED) as launch:
        yield launch
