"""What every task obeys. Tasks are found by listing the folder; a new one needs nothing here."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludus import tasks
from ludus.tasks import Test, Train, Validation, exact, judge, problems

TASKS = [tasks.load(name) for name in tasks.names()]
LEVELS = [(task, level) for task in TASKS for level in range(task.levels)]
every_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
every_level = pytest.mark.parametrize(("task", "level"), LEVELS, ids=[f"{task.name}-{level}" for task, level in LEVELS])

HOSTILE = [
    "",
    " ",
    "so",
    "so so so",
    "\0",
    "so \0",
    "\ud800",
    "x" * 1_000_000,
    "7" * 1_000_000,
    "so " * 300_000,
    "( " * 500_000,
    "~ " * 500_000,
    "~ " * 500_000 + "p",
    "( " * 60 + "1" + " )" * 60,
    "((((((((((" * 1000,
    "١ ٢ ٣",
    "²",
    "１ + ２",
    "-1",
    "+1",
    "1_0",
    "01",
    "0x1",
    "1e9",
    "9 ** 9 ** 9",
    "9 * " * 500_000 + "9",
    "nan",
    "inf",
    "None",
    "__import__('os').abort()",
    "raise SystemExit",
    "1 / 0",
    "a\u2028b\u0085c",
    "%s %d {0} {prompt}",
]


def some(task, level, count=60):
    rng = np.random.default_rng(1)
    return [task.draw(rng, level) for _ in range(count)]


@every_level
def test_work_is_right_and_its_answer_alone_too(task, level):
    rng = np.random.default_rng(2)
    for problem in some(task, level):
        for _ in range(3):
            work = task.work(problem, rng)
            answer = task.answer_of(problem, work)
            assert answer is not None, work
            assert task.check(problem, answer) == exact(task).score(problem, work) == 1
            assert judge(task).mark(problem, answer) == 1
            assert task.answer_of(problem, answer) == answer


@every_level
def test_every_word_stands_in_words(task, level):
    rng = np.random.default_rng(3)
    drawn = some(task, level)
    for text in [problem.prompt for problem in drawn] + [task.work(problem, rng) for problem in drawn]:
        assert text == " ".join(text.split()) and text.isascii()
        assert set(text.split()) <= set(task.words)


@every_task
def test_words_are_few_and_all_needed(task):
    assert len(task.words) == len(set(task.words)) <= 64
    rng = np.random.default_rng(4)
    drawn = [problem for level in range(task.levels) for problem in some(task, level, 150)]
    seen = {word for problem in drawn for word in f"{problem.prompt} {task.work(problem, rng)}".split()}
    assert len(seen) >= 0.9 * len(task.words)


@every_level
def test_draws_are_deterministic_and_plain(task, level):
    first, second = some(task, level), some(task, level)
    assert first == second
    assert len({problem.prompt for problem in first}) > 30
    for problem in first:
        assert problem.level == level
        assert all(type(leaf) in (int, str) for leaf in leaves(problem.key))
        assert tasks.as_key(json.loads(json.dumps(problem.key))) == problem.key


def leaves(key):
    return [leaf for part in key for leaf in leaves(part)] if isinstance(key, tuple) else [key]


@every_task
def test_work_is_deterministic(task):
    for problem in some(task, task.levels - 1, 10):
        works = {task.work(problem, np.random.default_rng(5)) for _ in range(3)}
        assert len(works) == 1


@every_task
def test_higher_levels_take_more_work(task):
    rng = np.random.default_rng(6)
    lengths = [
        np.mean([len(task.work(problem, rng).split()) for problem in some(task, level, 150)])
        for level in range(task.levels)
    ]
    assert task.levels >= 3 and all(np.diff(lengths) > 0.9), lengths


@every_level
def test_prompt_and_work_are_short(task, level):
    rng = np.random.default_rng(7)
    lengths = [len(f"{problem.prompt} {task.work(problem, rng)}".split()) for problem in some(task, level, 200)]
    assert np.mean(lengths) <= 60 and max(lengths) <= 72


@every_level
def test_wrong_answers_get_less(task, level):
    """The answer to another problem is right only where it happens to be an answer to this one too; most are not."""
    drawn = some(task, level)
    answers = [task.answer_of(problem, task.work(problem, np.random.default_rng(8))) for problem in drawn]
    marks = [task.check(problem, other) for problem, other in zip(drawn, answers[1:] + answers[:1], strict=True)]
    assert np.mean([mark < 1 for mark in marks]) > 0.5
    assert all(0 <= mark <= 1 for mark in marks)


@every_task
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_gets_nothing(task, text):
    problem = some(task, task.levels - 1, 1)[0]
    answer = task.answer_of(problem, text)
    assert answer is None or set(answer.split()) <= set(task.words)
    assert task.check(problem, text) == exact(task).score(problem, text) == 0


@every_task
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_text_has_a_score(task, data):
    """Words of the task in any order, between pieces of anything."""
    problem = some(task, data.draw(st.integers(0, task.levels - 1)), 1)[0]
    words = st.lists(st.one_of(st.sampled_from(task.words), st.text(max_size=3)), max_size=20)
    text = " ".join(data.draw(words))
    answer = task.answer_of(problem, text)
    mark = task.check(problem, text)
    assert mark in (0, 1)
    assert exact(task).score(problem, text) == (0 if answer is None else task.check(problem, answer))
    if mark == 1:
        assert answer is not None


@every_level
def test_no_problem_is_in_two_splits(task, level):
    """Not for any two seeds: what a split holds depends on the prompt alone. Enough is in each to train and to test."""
    found = {}
    for kind, count in ((Train, 100), (Validation, 12), (Test, 12)):
        for seed in range(2):
            for problem in problems(task, kind(seed), level, count):
                assert found.setdefault(problem.prompt, kind) is kind
    assert set(found.values()) == {Train, Validation, Test}


@every_level
def test_one_prompt_one_problem(task, level):
    """The prompt is the identity: it says all that the verifier knows, and no problem has two."""
    drawn = some(task, level, 400)
    assert len({problem.prompt for problem in drawn}) == len({problem.key for problem in drawn})
    assert len({(problem.prompt, problem.key) for problem in drawn}) == len({problem.key for problem in drawn})


@every_task
def test_a_level_that_is_not_there(task):
    for level in (-1, task.levels):
        with pytest.raises(ValueError, match="level: 0 to"):
            task.draw(np.random.default_rng(0), level)


@every_task
def test_it_says_what_it_is(task):
    assert tasks.load(task.name) is task
    assert len(task.rules) > 60 and task.rules.endswith(".") and "arXiv:" in task.source
