"""Claims as data. Each form names arms and a metric; `verdict.py` turns seeds into an effect and judges it.

d is the effect paired by seed, positive in the claimed direction.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What every claim has.

    metric   a key of what `run` returns
    scope    "" the paper's claim; "transfer" judged apart; "server" not run until an endpoint is given
    control  the arm in which the claim must not hold, where the recipe's own control does not serve
    says     the claim in plain words, for the page; made from the fields where empty
    """

    metric: str
    scope: str = ""
    control: str | None = None
    says: str = ""


@dataclass(frozen=True)
class Lower(Claim):
    """`arm` ends lower than `than`, an arm or a number, by at least `by` (a share of |than| where relative)."""

    arm: str
    than: str | float = field(kw_only=True)
    by: float = field(default=0.0, kw_only=True)
    relative: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Higher(Claim):
    """`arm` ends higher than `than`, an arm or a number, by at least `by` (a share of |than| where relative)."""

    arm: str
    than: str | float = field(kw_only=True)
    by: float = field(default=0.0, kw_only=True)
    relative: bool = field(default=False, kw_only=True)
