"""Each form of claim: its effect by hand, its reverse, and what it becomes on the control."""

import numpy as np
import pytest

from ludus.study import Equivalent, Exact, Higher, Interaction, Lower, Near, NotWorse, Ordered, Trend

NUMBERS = {
    "a": {"m": np.array([5.0, 7.0])},
    "b": {"m": np.array([2.0, 2.0])},
    "c": {"m": np.array([1.0, 3.0])},
    "off": {"m": np.array([2.0, 1.0])},
}


@pytest.mark.parametrize(
    "claim, effect, on_control",
    [
        (Higher("a", than="b", metric="m"), [3, 5], [0, -1]),
        (Lower("a", than="b", metric="m"), [-3, -5], [0, 1]),
        (Higher("a", than="b", metric="m", relative=True), [1.5, 2.5], [0, -0.5]),
        (Higher("a", than=4, metric="m"), [1, 3], [-2, -3]),
        (Lower("a", than=-4, metric="m", relative=True), [-2.25, -2.75], [-1.5, -1.25]),
        (NotWorse("a", than="b", metric="m", margin=1), [3, 5], [0, -1]),
        (NotWorse("a", than="b", metric="m", margin=1, direction="lower"), [-3, -5], [0, 1]),
        (Equivalent("a", than="b", metric="m", margin=1), [3, 5], [0, -1]),
        (Ordered(("a", "b", "c"), metric="m"), [1, -1], [0, -1]),
        (Ordered(("a", "b"), metric="m", direction="lower"), [-3, -5], [0, 1]),
        (Trend((("a", 2.0), ("b", 1.0), ("c", 0.0)), metric="m"), [2, 2], [0.5, -1]),
        (Trend((("a", 2.0), ("c", 0.0)), metric="m", direction="lower"), [-2, -2], [-0.5, 1]),
        (Interaction(("a", "b"), than=("c", "off"), metric="m"), [4, 3], [1, -3]),
        (Interaction(("a", "b"), than=("c", "off"), metric="m", direction="lower"), [-4, -3], [-1, 3]),
        (Near("a", than=6.0, within=1.0, metric="m"), [-1, 1], [-4, -5]),
        (Exact("a", than="b", metric="m"), [3, 5], [0, -1]),
    ],
)
def test_effects_by_hand(claim, effect, on_control):
    assert claim.effect(NUMBERS) == pytest.approx(effect)
    assert claim.at("off").effect(NUMBERS) == pytest.approx(on_control)
    assert claim.at("off").arms()[0] == "off"
    assert claim.reverse().reverse().tests(NUMBERS) == pytest.approx(claim.tests(NUMBERS))


@pytest.mark.parametrize(
    "claim",
    [
        Higher("a", than="b", metric="m"),
        NotWorse("a", than="b", metric="m", margin=1),
        Trend((("a", 2.0), ("b", 1.0)), metric="m"),
        Interaction(("a", "b"), than=("c", "off"), metric="m"),
    ],
)
def test_the_reverse_tests_the_negative(claim):
    assert claim.reverse().tests(NUMBERS) == pytest.approx(-claim.tests(NUMBERS))


def test_margins_are_part_of_the_test_and_not_of_the_effect():
    assert NotWorse("a", than="b", metric="m", margin=1).tests(NUMBERS) == pytest.approx(np.array([[4, 6]]))
    both = Equivalent("a", than="b", metric="m", margin=10).tests(NUMBERS)
    assert both == pytest.approx(np.array([[13, 15], [7, 5]]))
    apart = Equivalent("a", than="b", metric="m", margin=1).reverse().tests(NUMBERS)
    assert apart == pytest.approx(np.array([[2, 4]]))


def test_every_step_of_an_order_is_tested():
    steps = Ordered(("a", "b", "c"), metric="m").tests(NUMBERS)
    assert steps == pytest.approx(np.array([[3, 5], [1, -1]]))


def test_the_reverse_asks_for_no_margin():
    assert Higher("a", than="b", metric="m", by=2).reverse().by == 0


def test_words_come_from_the_fields():
    claim = Lower("a", than="b", metric="m", by=0.3, relative=True)
    assert claim.words() == "a ends with lower m than b by at least 30%"
    assert Lower("a", than="b", metric="m", says="A beats B").words() == "A beats B"
