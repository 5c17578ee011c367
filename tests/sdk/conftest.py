"""What the tests of this folder share: the SDKs, one after the other."""

from __future__ import annotations

import pytest

from tests.sdk.peers import PEERS, Opener


@pytest.fixture(params=list(PEERS))
def opened(request: pytest.FixtureRequest) -> Opener:
    """Each SDK in turn."""
    return PEERS[request.param]
