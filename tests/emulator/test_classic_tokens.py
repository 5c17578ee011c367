"""GET /cgi-bin/token: rules E1, E5, E8."""

from __future__ import annotations

import pytest

from tests.emulator.platforms import APPID, NOW, SECRET, classic, platform, probe, stable


def test_each_call_mints_a_token_of_7200_s_without_an_errcode() -> None:
    model = platform()
    answer = model.token(APPID, SECRET, NOW)
    assert set(answer) == {"access_token", "expires_in"}
    assert answer["expires_in"] == 7200
    assert answer["access_token"] != classic(model, NOW + 1)


def test_the_previous_token_lives_300_s_beside_the_new_one() -> None:
    model = platform()
    old, new = classic(model), classic(model, NOW + 1000)
    assert probe(model, old, NOW + 1299.9) == 0
    assert probe(model, new, NOW + 1299.9) == 0
    assert probe(model, old, NOW + 1300) == 40001


def test_the_previous_token_never_outlives_its_own_end() -> None:
    model = platform()
    old = classic(model)
    classic(model, NOW + 7100)
    assert model.ledger.ends_at(old) == NOW + 7200
    assert probe(model, old, NOW + 7200) == 42001


def test_a_second_mint_within_the_overlap_kills_the_older_previous_token_at_once() -> None:
    model = platform()
    first, second = classic(model), classic(model, NOW + 10)
    classic(model, NOW + 20)
    assert probe(model, first, NOW + 20) == 40001
    assert probe(model, second, NOW + 20) == 0


def test_three_generations_live_together_when_so_configured() -> None:
    model = platform(generations=3)
    tokens = [classic(model, NOW + each) for each in range(4)]
    assert [probe(model, each, NOW + 5) for each in tokens] == [40001, 0, 0, 0]


def test_with_one_generation_or_no_overlap_the_old_token_dies_at_the_mint() -> None:
    for model in (platform(generations=1), platform(overlap_s=0)):
        old = classic(model)
        classic(model, NOW + 1)
        assert probe(model, old, NOW + 1) == 40001


def test_a_classic_mint_never_touches_a_stable_token_nor_the_reverse() -> None:
    model = platform(overlap_s=0, forced_old_token="dies_at_once")
    stable_one, classic_one = stable(model), classic(model)
    classic_two = classic(model, NOW + 40)
    assert probe(model, stable_one, NOW + 40) == 0
    stable(model, NOW + 80, forced=True)
    assert probe(model, classic_two, NOW + 80) == 0
    assert probe(model, classic_one, NOW + 80) == 40001


@pytest.mark.parametrize("lifetime_s", [300, 7100])
def test_a_shorter_life_is_announced_and_kept(lifetime_s: int) -> None:
    model = platform(lifetimes_s=(lifetime_s,))
    answer = model.token(APPID, SECRET, NOW)
    assert answer["expires_in"] == lifetime_s
    assert probe(model, answer["access_token"], NOW + lifetime_s - 1) == 0
    assert probe(model, answer["access_token"], NOW + lifetime_s) == 42001


def test_a_token_has_the_configured_prefix_and_length() -> None:
    assert classic(platform(token_prefix=33, token_length=512)).startswith("33_")
    assert len(classic(platform(token_length=512))) == 512
    assert "_" not in classic(platform(token_prefix=0)).replace("-", "")[:1]
