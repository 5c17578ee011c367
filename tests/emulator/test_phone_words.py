"""The phone page's table of words has every value that the emulator shows there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import zhongkong.emulator.phone
from zhongkong.emulator.callbacks.attacks import ATTACKS
from zhongkong.emulator.callbacks.records import AnswerKind, Outcome, Seen

PHONE = Path(zhongkong.emulator.phone.__path__[0])
ENTRY = re.compile(r'^  (?:"([^"]+)"|(\w+)): \["([^"]*)", "([^"]*)"\],$', re.MULTILINE)
WORDS = {
    dotted or plain: (chinese, english)
    for dotted, plain, chinese, english in ENTRY.findall((PHONE / "words.js").read_text("utf-8"))
}
SCRIPTS = "".join(path.read_text("utf-8") for path in PHONE.glob("*.js"))


def test_every_value_of_ours_has_words_in_both_languages() -> None:
    for group, values in (
        ("answer", AnswerKind),
        ("attack", ATTACKS),
        ("outcome", get_args(Outcome)),
        ("seen", get_args(Seen)),
    ):
        for value in values:
            chinese, english = WORDS[f"{group}.{value}"]
            assert chinese
            assert english.isascii()


def test_every_text_that_a_script_names_is_there() -> None:
    used = set(re.findall(r"""\bt\("([\w.]+)"[,)]""", SCRIPTS))
    assert len(used) > 100
    assert used <= set(WORDS)


def test_both_languages_hold_the_same_values() -> None:
    for key, (chinese, english) in WORDS.items():
        assert set(re.findall(r"{\w+}", chinese)) == set(re.findall(r"{\w+}", english)), key


def test_every_attack_can_be_chosen() -> None:
    chosen = re.search(r"const ATTACKS = \[([^\]]+)\]", SCRIPTS)
    assert chosen is not None
    assert set(re.findall(r'"(\w+)"', chosen[1])) == set(ATTACKS)
