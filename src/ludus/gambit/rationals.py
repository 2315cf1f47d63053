"""Floats as fractions: the simple one that a float came from, and probabilities that add up to exactly one.

Gambit refuses a chance node whose probabilities do not add up to one exactly, and three times the float nearest to 1/3
does not. Here 0.3333333333333333 becomes 1/3 again, and whatever is written reads back as the same float.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

_BITS = 4096  # of a common denominator: beyond it sums of fractions become slow


def exact_sum(fractions: Sequence[Fraction]) -> Fraction | None:
    """Their sum; None where no denominator below 2^4096 serves them all."""
    common = 1
    for below in {each.denominator for each in fractions}:
        common = math.lcm(common, below)
        if common.bit_length() > _BITS:
            return None
    return Fraction(sum(each.numerator * (common // each.denominator) for each in fractions), common)


def simplest(value: float) -> Fraction:
    """A fraction whose nearest float is `value`, its denominator small where one below a thousand million will do."""
    for digits in range(1, 10):
        near = Fraction(value).limit_denominator(10**digits)
        if float(near) == value:
            return near
    return Fraction(value)


def probabilities(odds: Sequence[float]) -> list[Fraction]:
    """A fraction per float: each reads back as its float, and they add up to exactly one.

    Raises ValueError where no such fractions exist.
    """
    simple = [simplest(chance) for chance in odds]
    if exact_sum(simple) == 1:
        return simple
    # What is missing is shared out by how far each fraction may move and still have the same nearest float. The least
    # probable may hardly move, and would need a thousand digits to.
    exact = [Fraction(chance) for chance in odds]
    missing = 1 - sum(exact, Fraction())
    toward = math.inf if missing > 0 else 0.0
    room = [abs(Fraction(math.nextafter(each, toward)) - Fraction(each)) / 2 * (each > 2**-60) for each in odds]
    all_room = sum(room, Fraction())
    if not abs(missing) < all_room:
        raise ValueError(
            f"chance: the probabilities at a node must add up to one, {list(odds)[:8]} come to {float(sum(exact))!r}"
        )
    return [each + missing * own / all_room for each, own in zip(exact, room, strict=True)]


def shortest(value: float) -> str:
    """The shortest decimal or fraction that reads back as `value`, in the letters that Gambit reads."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    decimal = repr(value).removesuffix(".0").replace("e+", "e")  # Gambit takes 1e22, not 1e+22
    return min(decimal, str(simplest(value)), key=len)
