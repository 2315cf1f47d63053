"""Claims as data: what a paper says, fixed before the run, in nine forms.

    Higher, Lower          one arm against another arm, or against a number
    NotWorse, Equivalent   within a margin
    Ordered, Trend         several arms in order; a dose and its response
    Interaction            one difference against another
    Exact, Near            a deterministic number against its known value

The arm that carries the mechanism comes first, the rest by keyword. Every form answers the same questions: which arms
it needs, what its effect is seed by seed (positive in the claimed direction), what must be rejected before it holds,
what its reverse is, and what it becomes when its first arm is replaced by the control. `verdict.py` judges all of them
by one rule.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

SCOPES = ("", "transfer", "server")

Numbers = Mapping[str, Mapping[str, np.ndarray]]
"""The final numbers of a study: arm -> metric -> float64[n], one entry per seed, the same order for all arms."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What every claim has.

    metric    a key of what `run` returns
    scope     "" the paper's claim; "transfer" judged apart; "server" not run until an endpoint is given
    control   the arm in which the claim must not hold, where the recipe's own control does not serve
    says      the claim in plain words, for the page; made from the fields where empty
    opposite  True for the reverse of the claim; `reverse()` sets it, no recipe does
    """

    metric: str
    scope: str = ""
    control: str | None = None
    says: str = ""
    opposite: bool = field(default=False, repr=False)

    by = 0.0  # the least mean effect that counts; forms that let the recipe say so make it a field

    def arms(self) -> tuple[str, ...]:
        """The arms it speaks of, the one with the mechanism first."""
        raise NotImplementedError

    def at(self, control: str) -> Self:
        """The same claim with `control` in the place of its first arm. It must not hold."""
        raise NotImplementedError

    def reverse(self) -> Self:
        """The claim turned round. Any significant effect the other way will do, so `by` is dropped."""
        lighter: dict[str, Any] = {"by": 0.0} if "by" in (f.name for f in dataclasses.fields(self)) else {}
        return dataclasses.replace(self, opposite=not self.opposite, says="", **lighter)

    def effect(self, numbers: Numbers) -> np.ndarray:
        """float64[n]: the effect paired by seed, positive in the claimed direction."""
        d = self._effect(numbers)
        return -d if self.opposite else d

    def tests(self, numbers: Numbers) -> np.ndarray:
        """float64[L, n]: samples whose centres must all be shown to lie above zero before the claim holds."""
        return self.effect(numbers)[None]

    def words(self) -> str:
        """The claim in one plain sentence without its full stop."""
        return self.says or ("not so: " if self.opposite else "") + self._words()

    def _effect(self, numbers: Numbers) -> np.ndarray:
        raise NotImplementedError

    def _words(self) -> str:
        raise NotImplementedError


def _of(numbers: Numbers, arm: str | float, metric: str) -> np.ndarray:
    """float64[n] of an arm, or float64[1] where a plain number stands in its place."""
    return np.asarray(numbers[arm][metric], float) if isinstance(arm, str) else np.array([float(arm)])


def _difference(numbers: Numbers, claim: Any) -> np.ndarray:
    """`arm` minus `than`, seed by seed; as a share of the mean of |than| where the claim is relative.

    The divisor is one constant for all seeds, so a sign flip of the differences stays a sign flip.
    """
    than = _of(numbers, claim.than, claim.metric)
    scale = np.abs(than).mean() if claim.relative else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):  # a scale of zero gives NaN, which the verdict reports
        return (_of(numbers, claim.arm, claim.metric) - than) / scale


def _amount(size: float, relative: bool) -> str:
    return f"{size:.3g}" if not relative else f"{100 * size:.3g}%"


def _than_arms(claim: Any) -> tuple[str, ...]:
    return (claim.arm, claim.than) if isinstance(claim.than, str) else (claim.arm,)


@dataclass(frozen=True)
class Higher(Claim):
    """`arm` ends higher than `than`, an arm or a number, by at least `by` (a share of |than| where relative)."""

    arm: str
    than: str | float = field(kw_only=True)
    by: float = field(default=0.0, kw_only=True)
    relative: bool = field(default=False, kw_only=True)

    sign, comparison = 1.0, "higher"

    def arms(self) -> tuple[str, ...]:
        return _than_arms(self)

    def at(self, control: str) -> Self:
        return dataclasses.replace(self, arm=control, says="")

    def _effect(self, numbers: Numbers) -> np.ndarray:
        return self.sign * _difference(numbers, self)

    def _words(self) -> str:
        margin = f" by at least {_amount(self.by, self.relative)}" if self.by else ""
        return f"{self.arm} ends with {self.comparison} {self.metric} than {self.than}{margin}"


@dataclass(frozen=True)
class Lower(Higher):
    """`arm` ends lower than `than`, an arm or a number, by at least `by` (a share of |than| where relative)."""

    sign, comparison = -1.0, "lower"


@dataclass(frozen=True)
class NotWorse(Claim):
    """`arm` is worse than `than` by less than `margin` (a share of |than| where relative).

    direction  which way is better: "higher" or "lower"
    """

    arm: str
    than: str | float = field(kw_only=True)
    margin: float = field(kw_only=True)
    direction: str = field(default="higher", kw_only=True)
    relative: bool = field(default=False, kw_only=True)

    def arms(self) -> tuple[str, ...]:
        return _than_arms(self)

    def at(self, control: str) -> Self:
        return dataclasses.replace(self, arm=control, says="")

    def tests(self, numbers: Numbers) -> np.ndarray:
        shifted = self._effect(numbers) + self.margin
        return (-shifted if self.opposite else shifted)[None]

    def _effect(self, numbers: Numbers) -> np.ndarray:
        return _signs[self.direction] * _difference(numbers, self)

    def _words(self) -> str:
        margin = _amount(self.margin, self.relative)
        return f"{self.arm} is not worse than {self.than} in {self.metric} by {margin} ({self.direction} is better)"


@dataclass(frozen=True)
class Equivalent(Claim):
    """`arm` and `than` differ by less than `margin` either way (a share of |than| where relative).

    Two one-sided tests (Schuirmann, 1987): both must reject.
    """

    arm: str
    than: str | float = field(kw_only=True)
    margin: float = field(kw_only=True)
    relative: bool = field(default=False, kw_only=True)

    def arms(self) -> tuple[str, ...]:
        return _than_arms(self)

    def at(self, control: str) -> Self:
        return dataclasses.replace(self, arm=control, says="")

    def effect(self, numbers: Numbers) -> np.ndarray:
        """float64[n]: arm minus than. Neither sign is the claimed one."""
        return self._effect(numbers)

    def tests(self, numbers: Numbers) -> np.ndarray:
        d = self._effect(numbers)
        if self.opposite:  # different by more than the margin, on the side on which it is seen
            return (np.sign(d.mean()) * d - self.margin)[None]
        return np.stack([self.margin + d, self.margin - d])

    def _effect(self, numbers: Numbers) -> np.ndarray:
        return _difference(numbers, self)

    def _words(self) -> str:
        margin = _amount(self.margin, self.relative)
        return f"{self.arm} and {self.than} differ in {self.metric} by less than {margin}"


@dataclass(frozen=True)
class Ordered(Claim):
    """Each arm ends beyond the next one by at least `by`; the arm with the most of the mechanism comes first.

    direction  "higher": the first arm ends highest; "lower": it ends lowest
    """

    order: tuple[str, ...]
    by: float = field(default=0.0, kw_only=True)
    direction: str = field(default="higher", kw_only=True)

    def arms(self) -> tuple[str, ...]:
        return self.order

    def at(self, control: str) -> Self:
        return dataclasses.replace(self, order=(control, *self.order[1:]), says="")

    def tests(self, numbers: Numbers) -> np.ndarray:
        ends = np.stack([_of(numbers, arm, self.metric) for arm in self.order])
        steps = _signs[self.direction] * (ends[:-1] - ends[1:])
        # Not "all in order" means that some step goes the other way: the worst one is looked at.
        return -steps[[steps.mean(1).argmin()]] if self.opposite else steps

    def _effect(self, numbers: Numbers) -> np.ndarray:
        """The weakest step: the pair of neighbours with the smallest mean difference."""
        steps = dataclasses.replace(self, opposite=False).tests(numbers)
        return steps[steps.mean(1).argmin()]

    def _words(self) -> str:
        margin = f", each by at least {self.by:.3g}" if self.by else ""
        return f"in {self.metric}, {self.direction} first: {', then '.join(self.order)}{margin}"


@dataclass(frozen=True)
class Trend(Claim):
    """The metric rises with the dose, by at least `by` a unit: the slope of the line fitted to each seed's arms.

    doses      (arm, dose) pairs, the largest dose first
    direction  "higher": it rises with the dose; "lower": it falls
    """

    doses: tuple[tuple[str, float], ...]
    by: float = field(default=0.0, kw_only=True)
    direction: str = field(default="higher", kw_only=True)

    def arms(self) -> tuple[str, ...]:
        return tuple(arm for arm, _ in self.doses)

    def at(self, control: str) -> Self:
        """The control in place of the largest dose, against the smallest; in between the mechanism is at work."""
        return dataclasses.replace(self, doses=((control, self.doses[0][1]), self.doses[-1]), says="")

    def _effect(self, numbers: Numbers) -> np.ndarray:
        dose = np.array([dose for _, dose in self.doses], float)
        response = np.stack([_of(numbers, arm, self.metric) for arm in self.arms()])
        centred = dose - dose.mean()
        return _signs[self.direction] * (centred @ response) / (centred @ centred)

    def _words(self) -> str:
        doses = ", ".join(f"{arm} ({dose:g})" for arm, dose in self.doses)
        margin = f" by at least {self.by:.3g} a unit" if self.by else ""
        return f"{self.metric} {'rises' if self.direction == 'higher' else 'falls'} with the dose{margin}: {doses}"


@dataclass(frozen=True)
class Interaction(Claim):
    """The difference within `pair` is beyond the difference within `than` by at least `by`: (a - b) - (c - d).

    direction  "higher": the first difference is the larger one; "lower": the smaller one
    """

    pair: tuple[str, str]
    than: tuple[str, str] = field(kw_only=True)
    by: float = field(default=0.0, kw_only=True)
    direction: str = field(default="higher", kw_only=True)

    def arms(self) -> tuple[str, ...]:
        return (*self.pair, *self.than)

    def at(self, control: str) -> Self:
        return dataclasses.replace(self, pair=(control, self.pair[1]), says="")

    def _effect(self, numbers: Numbers) -> np.ndarray:
        a, b, c, d = (_of(numbers, arm, self.metric) for arm in self.arms())
        return _signs[self.direction] * ((a - b) - (c - d))

    def _words(self) -> str:
        (a, b), (c, d) = self.pair, self.than
        margin = f" by at least {self.by:.3g}" if self.by else ""
        return f"in {self.metric}, {a} minus {b} is {self.direction} than {c} minus {d}{margin}"


@dataclass(frozen=True)
class Near(Claim):
    """A deterministic number lies within `within` of `than`, an arm or a number, on every seed (one is enough)."""

    arm: str
    than: str | float = field(kw_only=True)
    within: float = field(kw_only=True)

    def arms(self) -> tuple[str, ...]:
        return _than_arms(self)

    def at(self, control: str) -> Self:
        return dataclasses.replace(self, arm=control, says="")

    def effect(self, numbers: Numbers) -> np.ndarray:
        """float64[n]: arm minus than. Neither sign is the claimed one."""
        return self._effect(numbers)

    def tests(self, numbers: Numbers) -> np.ndarray:
        """float64[1, n]: what is left of `within`; not below zero where the claim is met."""
        left = self.within - np.abs(self._effect(numbers))
        return (-left if self.opposite else left)[None]

    def _effect(self, numbers: Numbers) -> np.ndarray:
        return _of(numbers, self.arm, self.metric) - _of(numbers, self.than, self.metric)

    def _words(self) -> str:
        return f"{self.metric} of {self.arm} lies within {self.within:g} of {self.than}"


@dataclass(frozen=True)
class Exact(Near):
    """A deterministic number of kind `exact` equals `than`, an arm or a number, up to rounding."""

    within: float = field(default=1e-9, kw_only=True)

    def _words(self) -> str:
        return f"{self.metric} of {self.arm} equals {self.than} up to {self.within:g}"


_signs = {"higher": 1.0, "lower": -1.0}
