"""Every text is read, into exactly one class; what is quoted, thought or only resembles an action is none."""

import inspect
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agents.malformed_replies import CASES, LEGAL, WORDS

from ludus import games
from ludus.agents import replies
from ludus.agents.replies import CLASSES, NONE, Answer, labels, read, spoken

NUMBERS, ALLOWED = labels(WORDS), np.array(LEGAL)
ANSWERS = ("legal", "illegal")

# Any text, and texts made of what means something here.
PIECES = [
    "[",
    "]",
    "fold",
    "Call",
    "raise",
    "[fold]",
    "[call]",
    "> ",
    "\n",
    " ",
    '"',
    "`",
    "```",
    "~~~",
    "“",
    "”",
    "«",
    "»",
]
PIECES += [
    "'",
    "\\",
    "{",
    "}",
    '{"action": "fold"}',
    '"action"',
    ":",
    ",",
    "3",
    "٣",
    "<think>",
    "</think>",
    "*",
    "_",
    ".",
]
PIECES += ["\0", "\u200b", "\u2028", "\ud800", "1w>1g", ">"]
TEXTS = st.one_of(st.text(st.characters()), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
UNTAGGED = TEXTS.filter(lambda text: "think" not in text)


def answer(text: str, status: str = "ok", reasoning: str = "") -> Answer:
    return read(text, NUMBERS, ALLOWED, status, reasoning)


def test_the_corpus_holds_every_class():
    assert len(CASES) == len(set(CASES)) >= 500
    assert {case.kind for case in CASES} == set(CLASSES)
    assert all((case.answer is not None) == (case.kind in ANSWERS) for case in CASES)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_reply_of_the_corpus_is_of_its_class(kind):
    cases = [case for case in CASES if case.kind == kind]
    seen = [answer(case.text, case.status, case.reasoning) for case in cases]
    meant = [Answer(kind, NONE if case.answer is None else WORDS.index(case.answer)) for case in cases]
    wrong = [(case.text[:200], *both) for case, *both in zip(cases, meant, seen, strict=True) if both[0] != both[1]]
    assert not wrong


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from(["ok", "cut", "refused", "empty"]), TEXTS)
def test_any_text_is_of_exactly_one_class(text, status, reasoning):
    kind, action = answer(text, status, reasoning)
    assert CLASSES.count(kind) == 1
    assert (action != NONE) == (kind in ANSWERS)
    assert (kind == "legal") == (action != NONE and LEGAL[action])
    assert (kind == status) == (status in ("cut", "refused") or (status, kind) == ("empty", "empty"))
    if not text.strip() and status not in ("cut", "refused"):
        assert kind == ("reasoning_only" if reasoning.strip() else "empty")


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_an_action_is_read_only_where_its_word_stands(text):
    action = answer(text).action
    assert action == NONE or re.search(re.escape(WORDS[action]), text, re.IGNORECASE | re.ASCII)


@settings(max_examples=200, deadline=None)
@given(UNTAGGED, UNTAGGED)
def test_a_quoted_line_changes_nothing(text, quoted):
    """Whoever is quoted in lines that begin with >, whatever they said: the answer is what it was without them."""
    lines = "".join(f"\n> {line}" for line in quoted.splitlines() or [""])
    before = answer(text)
    assert answer(text + lines) == (before if before.kind != "empty" else Answer("malformed", NONE))


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_thoughts_change_nothing(text):
    for reply in (
        f"<think>{text}</think>[call]",
        f"{text}</think>\n\n[call]",
        f"[call] <think>{text.replace('</', '')}",
    ):
        assert answer(reply, reasoning=text) == Answer("legal", 1)
    assert answer(f"<think>{text}</think>").kind == "reasoning_only"


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters='"\\')))
def test_what_stands_in_a_quotation_is_not_its_writers(text):
    if "think>" not in text and not re.search("[`“”„‟«»「」『』]", text):
        assert answer(f'They say "{text}" here. [call]') in (Answer("legal", 1), Answer("malformed", NONE))
        assert answer(f'They say "{text}" here.').kind == "malformed"


def test_thinking_is_left_out_of_what_was_said():
    assert spoken("a <think>b</think>\n c ") == "c"
    assert spoken(" a <think> b") == "a"
    assert spoken("a </think>") == ""


def test_depth_costs_no_recursion():
    deep = ["[" * 10**5 + "call" + "]" * 10**5, '{"a":' * 10**5, "<think>" * 10**5 + "</think>" * 10**5 + "[call]"]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 20)
    try:
        kinds = [answer(text).kind for text in deep]
    finally:
        sys.setrecursionlimit(limit)
    assert kinds == ["legal", "malformed", "legal"]


def test_no_expression_repeats_a_repetition():
    """The shape that makes a pattern take more than one pass over a text, seen in the pattern and not with a clock."""
    found = [each for value in vars(replies).values() for each in (value if isinstance(value, tuple) else [value])]
    patterns = [each for each in found if isinstance(each, re.Pattern)]
    assert len(patterns) >= 10
    for pattern in patterns:
        assert not repeated_twice(re._parser.parse(pattern.pattern)), pattern.pattern
    assert repeated_twice(re._parser.parse(r"(?:a(?=x)(b|c*))+"))


def repeated_twice(tree, inside=False) -> bool:
    """Whether a parsed expression holds an unbounded repetition inside another."""
    for code, value in tree:
        unbounded = str(code).endswith("REPEAT") and value[1] > 1
        if unbounded and inside:
            return True
        flat, parts = [value], []
        while flat:
            part = flat.pop()
            if isinstance(part, re._parser.SubPattern):
                parts.append(part)
            elif isinstance(part, (tuple, list)):
                flat += part
        if any(repeated_twice(part, inside or unbounded) for part in parts):
            return True
    return False


@pytest.mark.parametrize("name", games.names())
def test_the_words_of_every_game_can_be_read_back(name):
    words = games.load(name).words
    numbers, legal = labels(words), np.ones(len(words), bool)
    for number, word in enumerate(words):
        for reply in (word, f"[{word}]", f"so [{word.upper()}]!", f'{{"action": "{word}"}}', f"> [{words[0]}]\n{word}"):
            assert read(reply, numbers, legal) == ("legal", number)


@pytest.mark.parametrize("word", ["", "a b", "[a]", "a]", '"a"', "`a`", ">a", "a\n", "«a", "\u3000"])
def test_a_word_that_cannot_be_read_back_is_refused(word):
    with pytest.raises(ValueError, match=r"words: .* cannot be read back from a reply"):
        labels(["b", word])


def test_words_that_differ_by_case_alone_are_refused():
    with pytest.raises(ValueError, match="words: 'a1' and 'A1' differ by case alone"):
        labels(["a1", "b", "A1"])
    assert labels(["s", "ſ", "k", "\u212a", "ß", "ss", "é", "e\u0301"])  # letters that other rules take for each other


def test_words_with_marks_of_markdown_are_read_exactly():
    numbers = labels(["_a_", "a", "a.", "*"])
    read_as = [
        read(text, numbers, np.ones(4, bool)).action for text in ("_a_", "a", "a.", "*", "**a**", "[_a_]", "[*]")
    ]
    assert read_as == [0, 1, 2, 3, 1, 0, 3]
