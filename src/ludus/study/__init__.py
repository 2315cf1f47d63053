"""Studies: arms, seeds, rows, checkpoints, claims, verdicts and the run store. Imports nothing of ludus."""

from ludus.study.claims import (
    Claim,
    Equivalent,
    Exact,
    Higher,
    Interaction,
    Lower,
    Near,
    NotWorse,
    Ordered,
    Trend,
)
from ludus.study.log import Log
from ludus.study.recipe import BadSetting, NotARecipe, Recipe
from ludus.study.verdict import Verdict, judge

__all__ = [
    "BadSetting",
    "Claim",
    "Equivalent",
    "Exact",
    "Higher",
    "Interaction",
    "Log",
    "Lower",
    "Near",
    "NotARecipe",
    "NotWorse",
    "Ordered",
    "Recipe",
    "Trend",
    "Verdict",
    "judge",
]
