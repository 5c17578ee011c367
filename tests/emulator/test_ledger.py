"""The oracle: what it answers, and that it stays small."""

from __future__ import annotations

import pytest

from tests.emulator.platforms import APPID, NOW, PROBE, SECRET, classic, platform, probe, stable
from zhongkong.emulator import ledger as ledger_module
from zhongkong.emulator.request import ApiRequest


def test_a_mint_is_one_entry_and_a_repeated_answer_none() -> None:
    model = platform()
    stable(model)
    mark = model.ledger.mark()
    stable(model, NOW + 10)
    assert model.ledger.issued(after=mark) == []
    assert len(model.ledger.requests("/cgi-bin/stable_token", after=mark)) == 1
    assert model.ledger.calls("/cgi-bin/stable_token") == 2


def test_who_minted_is_told_apart() -> None:
    model = platform()
    classic(model)
    model.foreign_refresh(APPID, NOW + 1)
    stable(model, forced=True)
    model.foreign_refresh(APPID, NOW + 2, "stable_forced")
    assert [each.by for each in model.ledger.issued()] == [
        "client",
        "foreign",
        "forced",
        "foreign",
    ]
    assert model.ledger.mints(APPID, by="foreign") == 2


def test_a_death_is_written_with_its_cause_and_its_moment() -> None:
    model = platform()
    first = classic(model)
    classic(model, NOW + 10)
    classic(model, NOW + 20)
    deaths = {(each.cause, each.at, each.ends_at) for each in model.ledger.deaths(APPID)}
    assert deaths == {
        ("superseded", NOW + 10, NOW + 310),
        ("superseded", NOW + 20, NOW + 320),
        ("dropped", NOW + 20, NOW + 20),
    }
    assert not model.ledger.alive(first, NOW + 20)


def test_every_use_is_written_dead_or_alive() -> None:
    model = platform()
    token = classic(model)
    probe(model, token, NOW + 1)
    probe(model, token, NOW + 7200)
    probe(model, "stranger", NOW)
    uses = [(each.value == token, each.alive, each.errcode) for each in model.ledger.uses()]
    assert uses == [(True, True, 0), (True, False, 42001), (False, False, 40014)]
    assert model.ledger.dead_uses(APPID) == 1
    assert len(model.ledger.uses(token)) == 2


def test_a_token_of_the_future_and_an_unknown_one_are_dead() -> None:
    model = platform()
    token = classic(model)
    assert not model.ledger.alive(token, NOW - 1)
    assert not model.ledger.alive("never issued", NOW)
    assert model.ledger.ends_at("never issued") is None


def test_a_request_tells_peer_account_code_and_cost() -> None:
    model = platform()
    model.token(APPID, "wrong", NOW, "203.0.113.9")
    (seen,) = model.ledger.requests()
    assert (seen.path, seen.peer, seen.appid, seen.errcode) == (
        "/cgi-bin/token",
        "203.0.113.9",
        APPID,
        40125,
    )
    assert seen.cost_ms > 0
    assert seen.rid is not None


def test_a_wrong_path_with_a_token_is_laid_to_its_account() -> None:
    model = platform()
    model.call("/cgi-bin/menu/nothing", classic(model), NOW)
    assert model.ledger.requests("/cgi-bin/menu/nothing")[0].appid == APPID


def test_memory_is_bounded_and_the_counters_stay_exact() -> None:
    model = platform(overlap_s=0)
    model.ledger.entries = type(model.ledger.entries)(maxlen=50)
    for each in range(300):
        model.token(APPID, SECRET, NOW + each)
    assert len(model.ledger.entries) == 50
    assert model.ledger.mints(APPID, "classic") == 300
    assert model.ledger.calls("/cgi-bin/token", APPID) == 300


def test_endless_unknown_paths_share_a_counter_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_module, "_COUNTERS_HELD", 100)
    model = platform()
    for each in range(110):
        model.perform(ApiRequest(method="GET", path=f"/{each}"), NOW)
    assert model.ledger.calls() == 110
    assert model.ledger.calls(ledger_module.OTHER_PATHS) == 10


def test_no_entry_shows_more_of_a_request_than_it_needs() -> None:
    model = platform()
    model.perform(ApiRequest(method="GET", path="/" + "x" * 9000), NOW)
    model.call(PROBE, "y" * 9000, NOW)
    assert len(model.ledger.requests()[0].path) == 300
    assert len(model.ledger.uses()[0].value) == 512
