"""Expressions read by Python's own parser, and all expressions of three numbers."""

import ast
import operator
from itertools import permutations, product

import numpy as np
import pytest

from ludus.tasks import Problem, Train, problems
from ludus.tasks.countdown import HIGHEST, TASK, evaluate

SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


def by_python(text):
    """(value, numbers used) by the ast module, or None where it is no expression of bare numbers and + - * ( )."""

    def value(node):
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            return SIGNS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.Constant) and type(node.value) is int:
            used.append(node.value)
            return node.value
        raise ValueError

    used = []
    try:
        return value(ast.parse(text, mode="eval").body), sorted(used)
    except (ValueError, SyntaxError):
        return None


def marked(problem, text):
    """The verifier again: standard words, then Python."""
    numbers, target = problem.key
    words = text.split()
    if not all(word in "+-*()" or (word.isdecimal() and 0 <= int(word) <= HIGHEST) for word in words):
        return 0
    return int(by_python(text) == (target, sorted(numbers)))


@pytest.mark.parametrize("level", range(TASK.levels))
def test_against_python_on_damaged_expressions(level):
    rng = np.random.default_rng(0)
    right = wrong = 0
    for problem in problems(TASK, Train(0), level, 40):
        expression = TASK.answer_of(problem, TASK.work(problem, rng)).split()
        for _ in range(30):
            words = list(expression)
            for _ in range(rng.integers(3)):
                at, other = rng.integers(len(words)), rng.integers(len(words))
                change = rng.integers(4)
                if change == 0:
                    words[at] = "+-*()"[rng.integers(5)]
                elif change == 1:
                    words[at], words[other] = words[other], words[at]
                elif change == 2:
                    words = [*words[:at], "(", *words[at:other], ")", *words[other:]]
                else:
                    words[at] = str(rng.integers(60))
            text = " ".join(words)
            mark = marked(problem, text)
            assert TASK.check(problem, text) == mark, (problem.prompt, text)
            right, wrong = right + mark, wrong + 1 - mark
    assert right > 100 and wrong > 100


def test_every_expression_of_three_numbers():
    """Both shapes, every order and sign: what reaches the target is right, and nothing else is."""
    for problem in problems(TASK, Train(1), 1, 10):
        numbers, target = problem.key
        solutions = set()
        for (a, b, c), one, two in product(set(permutations(numbers)), "+-*", "+-*"):
            for text in (f"( {a} {one} {b} ) {two} {c}", f"{a} {one} ( {b} {two} {c} )"):
                assert TASK.check(problem, text) == (eval(text) == target)
                if eval(text) == target:
                    solutions.add(text)
        assert solutions


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("3 + 4 * 2", 1),
        ("3 + 4 * 2 = 11", 1),
        ("( 3 + ( 2 * 4 ) )", 1),
        ("4 * 2 - 3 = 11", 0),
        ("3 + 4 * 2 = 12", 0),
        ("( 3 + 4 ) * 2", 0),
        ("3 + 4 + 4", 0),  # 4 twice
        ("11", 0),
        ("3 + 8", 0),
        ("3 + 4 * 2 + 0", 0),
        ("- 3 + 4 * 2", 0),
        ("3 + 4 * 2 =", 0),
        ("3 + 4 * 2 = 11 = 11", 0),
        ("= 11", 0),
        ("3+4*2", 0),  # words are separated by spaces
        ("3 + 4 ** 2", 0),
        ("3 4 2", 0),
        ("( 3 + 4 * 2", 0),
        ("3 + 4 * 2 )", 0),
        ("( ) 3 + 4 * 2", 0),
    ],
)
def test_by_hand(text, mark):
    assert TASK.check(Problem("make 11 from 2 3 4 ?", ((2, 3, 4), 11), 1), text) == mark


def test_the_answer_in_standard_form():
    problem = Problem("make 11 from 2 3 4 ?", ((2, 3, 4), 11), 1)
    assert TASK.answer_of(problem, "4 * 2 = 8 ; 3 + 8 = 11 so 3 +  4 * 2 = 11") == "3 + 4 * 2"
    assert TASK.answer_of(problem, "so 3 + 4 * 2 = 12") == "3 + 4 * 2 = 12"  # its slip is kept
    assert TASK.answer_of(problem, "so 4 + 3") == "4 + 3"
    assert TASK.answer_of(problem, "so 4 +") is None


def test_64_words_are_read_and_no_more():
    assert evaluate(["("] * 31 + ["7"] + [")"] * 31) == 7
    assert evaluate(["1"] + ["+", "1"] * 31) == 32
    assert evaluate(["("] * 32 + ["7"] + [")"] * 32) is None


@pytest.mark.parametrize("level", range(TASK.levels))
def test_every_step_of_the_work_is_true_and_uses_what_is_left(level):
    rng = np.random.default_rng(2)
    for problem in problems(TASK, Train(2), level, 40):
        numbers, target = problem.key
        assert list(numbers) == sorted(numbers)  # one way to write it
        pool = list(numbers)
        lines, expression = TASK.work(problem, rng).split(" so ")
        for line in lines.split(" ; "):
            a, sign, b, equals, result = line.split()
            assert equals == "=" and eval(f"{a} {sign} {b}") == int(result) and 0 <= int(result) <= HIGHEST
            pool.remove(int(a))
            pool.remove(int(b))
            pool.append(int(result))
        assert pool == [target] and by_python(expression) == (target, sorted(numbers))


def test_there_are_many_right_answers_and_work_finds_several():
    rng = np.random.default_rng(3)
    found = [
        len({TASK.answer_of(problem, TASK.work(problem, rng)) for _ in range(12)})
        for problem in problems(TASK, Train(3), 2, 15)
    ]
    assert np.mean(found) > 3
