from __future__ import annotations

import pytest

from tests.token_service.fake_source import FakeSource, served
from tests.token_service.proxy.world import SHOP
from token_service.proxy.healing import CLAIMS_ONLY_S, Doubtful, Healer, says_dead
from token_service.served import RejectionOutcome
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.tasks import TaskOwner

PATH = "/cgi-bin/x"
OLD, NEW = served(SHOP, "old"), served(SHOP, "new")


def test_a_doubtful_path_is_believed_again_after_its_time() -> None:
    doubtful = Doubtful()
    doubtful.note("shop", PATH, 0.0)

    assert doubtful.is_doubtful("shop", PATH, CLAIMS_ONLY_S - 1)
    assert not doubtful.is_doubtful("shop", PATH, CLAIMS_ONLY_S)
    assert not doubtful.is_doubtful("bank", PATH, 1.0)


def test_what_is_remembered_of_paths_is_bounded() -> None:
    doubtful = Doubtful(remembered=2)
    for path in ("/a", "/b", "/c"):
        doubtful.note("shop", path, 0.0)

    assert [doubtful.is_doubtful("shop", path, 1.0) for path in ("/a", "/b", "/c")] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("errcode", "dead"), [(40001, True), (40014, True), (42001, True), (0, False), (-1, False)]
)
def test_only_three_codes_say_that_a_token_is_dead(errcode: int, dead: bool) -> None:
    assert says_dead(errcode) is dead
    assert not says_dead(None)


async def _evidence(outcome: RejectionOutcome, *, again: bool) -> list[object]:
    """Mend twice on one path; the evidence that each report carried."""
    source = FakeSource()
    source.live, source.outcome = {SHOP: NEW}, outcome
    async with TaskOwner(SystemClock(), SystemRandomness()) as tasks:
        healer = Healer(source, tasks)
        for used in (OLD, OLD):
            with healer.mending("shop", PATH, used, 0.0) as mending:
                await mending.replacement()
                if again:
                    mending.refused_again(NEW)
        await tasks.finish(1.0)
    return [asked[2:] for asked in source.asked]


async def test_the_first_refusal_is_evidence_each_time() -> None:
    asked = await _evidence(RejectionOutcome.REPLACED, again=False)

    assert asked == [(OLD.version, True), (OLD.version, True)]


async def test_a_refused_repetition_is_a_claim_and_so_is_what_follows_on_that_path() -> None:
    asked = await _evidence(RejectionOutcome.REPLACED, again=True)

    assert sorted(asked, key=str) == sorted(
        [(OLD.version, True), (NEW.version, False), (OLD.version, False), (NEW.version, False)],
        key=str,
    )


async def test_a_path_that_refuses_a_token_which_lives_gives_only_claims() -> None:
    asked = await _evidence(RejectionOutcome.CONFIRMED_VALID, again=False)

    assert asked == [(OLD.version, True), (OLD.version, False)]


async def test_a_newer_token_refused_while_a_call_is_mended_is_no_evidence() -> None:
    source = FakeSource()
    source.live = {SHOP: NEW}
    async with TaskOwner(SystemClock(), SystemRandomness()) as tasks:
        healer = Healer(source, tasks)
        with (
            healer.mending("shop", PATH, OLD, 0.0),
            healer.mending("shop", PATH, NEW, 0.0) as other,
        ):
            await other.replacement()

    assert source.asked == [("reject", SHOP, NEW.version, False)]
