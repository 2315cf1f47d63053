"""Splits, verifiers and their flaws, on the tasks that are there; and the page that shows them."""

import contextlib
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ludus import tasks
from ludus.tasks import Judge, Problem, Test, Train, Validation, Verifier, problems

ARITHMETIC = tasks.load("arithmetic")
PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"


def test_the_page_prints_what_it_says():
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == PAGE.read_text(encoding="utf-8").count("```python") >= 1
    for code, promised in blocks:
        assert len([line for line in code.splitlines() if line]) <= 12
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, {})
        assert printed.getvalue() == promised


def test_the_page_names_every_task():
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == tasks.names()


def test_an_unknown_task_is_refused_with_the_nearest_names():
    with pytest.raises(ValueError, match="name: no task is named 'countdwn'; did you mean countdown"):
        tasks.load("countdwn")


# --- splits -----------------------------------------------------------------------------------------------------------


def test_more_of_the_same_begin_with_the_fewer():
    ten, twenty = (problems(ARITHMETIC, Train(3), 1, count) for count in (10, 20))
    assert twenty[:10] == ten
    assert len({problem.prompt for problem in twenty}) == 20
    assert problems(ARITHMETIC, Train(4), 1, 10) != ten


def test_eight_one_and_one_tenths():
    """The share of each split among 4000 different prompts, within four standard errors of what was promised."""
    rng = np.random.default_rng(0)
    prompts = {ARITHMETIC.draw(rng, 4).prompt for _ in range(4000)}
    share = Counter(map(tasks.tenth, prompts))
    for tenth in range(10):
        assert abs(share[tenth] / len(prompts) - 0.1) < 4 * (0.09 / len(prompts)) ** 0.5


def test_the_hash_stays_what_it_is():
    """A changed hash would move problems that somebody trained on into the test. By sha256sum, first 8 bytes."""
    assert tasks.tenth("abc") == 0xBA7816BF8F01CFEA % 10  # FIPS 180-2, appendix B.1: the digest of "abc"


def five(rng, level):
    number = int(rng.integers(5))
    return Problem(f"{number} ?", (number,), level)


def test_who_changes_a_list_of_problems_changes_nobody_elses():
    task = tasks.load("modular")
    first = tasks.problems(task, Train(0), 0, 5)
    kept = first.copy()
    first.clear()
    assert tasks.problems(task, Train(0), 0, 5) == kept


def test_a_split_that_runs_out_says_so():
    few = ARITHMETIC._replace(name="few", draw=five)
    held = {Train: 0, Validation: 0, Test: 0}
    for number in range(5):
        held[{8: Validation, 9: Test}.get(tasks.tenth(f"{number} ?"), Train)] += 1
    for kind, count in held.items():
        assert len(problems(few, kind(0), 0, count)) == count
        with pytest.raises(ValueError, match=f"count: few at level 0 has about {count} problems for {kind.__name__}"):
            problems(few, kind(0), 0, count + 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": 3}, r"split: Train\(seed\)"),
        ({"level": 99}, "level: arithmetic has levels 0 to 4; got 99"),
        ({"level": -1}, "level: arithmetic has levels 0 to 4; got -1"),
        ({"count": -1}, "count: at least 0; got -1"),
        ({"split": Train(-1)}, r"split: the seed is a whole number of at least 0; got Train\(seed=-1\)"),
        ({"split": Test("1")}, "split: the seed is a whole number"),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        problems(**({"task": ARITHMETIC, "split": Train(0), "level": 0, "count": 1} | change))


# --- verifiers --------------------------------------------------------------------------------------------------------

PROBLEM = Problem("2 + 1 * 3 ?", (2, (("+", 1), ("*", 3)), 9), 0)


def test_exact_and_judge():
    verifier, judge = tasks.exact(ARITHMETIC), tasks.judge(ARITHMETIC)
    assert isinstance(verifier, Verifier) and isinstance(judge, Judge)
    for reply, mark in [
        ("2 + 1 = 3 ; 3 * 3 = 9 so 9", 1),
        ("9", 1),
        ("2 + 1 = 4 so 9", 1),  # the answer counts, the way does not
        ("so 5 so 9", 1),  # the last word counts
        ("so 9 so 5", 0),
        ("so 5", 0),
        ("so 9 9", 0),
        ("2 + 1 = 3 ; 3 * 3 = 9", 0),
    ]:
        assert verifier.score(PROBLEM, reply) == judge.mark(PROBLEM, reply) == mark, reply


def test_a_judge_cannot_be_trained_on():
    """Training calls score(problem, reply); a judge has none."""
    assert not hasattr(tasks.judge(ARITHMETIC), "score")
    assert not hasattr(tasks.exact(ARITHMETIC), "mark")


@pytest.mark.parametrize(
    ("flaw", "fooling"),
    [
        (tasks.any_form, "so 5"),
        (tasks.many_answers, "so 8 so 9 so 5"),
        (tasks.many_answers, "9 so 5"),
        (tasks.many_words, "so so so so so so so so so so so so so so so so so so so so so so so so so so so"),
    ],
)
def test_a_flaw_fools_its_verifier_and_not_the_judge(flaw, fooling):
    verifier = tasks.flawed(ARITHMETIC, flaw)
    assert verifier.score(PROBLEM, fooling) == 1 and tasks.judge(ARITHMETIC).mark(PROBLEM, fooling) == 0
    assert verifier.score(PROBLEM, "so 9") == 1
    assert verifier.score(PROBLEM, "5 or so") == 0
    assert flaw.__name__ in verifier.name


def test_your_own_flaw():
    verifier = tasks.flawed(ARITHMETIC, lambda task, problem, reply: "please" in reply)
    assert verifier.score(PROBLEM, "please") == 1 and verifier.score(PROBLEM, "so 3") == 0
