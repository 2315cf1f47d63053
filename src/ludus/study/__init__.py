"""Studies: arms, seeds, rows, checkpoints, claims, verdicts and the run store. Imports nothing of ludus."""

from ludus.study.claims import Claim, Higher, Lower
from ludus.study.recipe import NotARecipe, Recipe

__all__ = ["Claim", "Higher", "Lower", "NotARecipe", "Recipe"]
