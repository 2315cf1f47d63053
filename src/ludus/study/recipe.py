"""What a paper is here: arms, a function that runs one, claims fixed before the run, and a control."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ludus.study.claims import Claim


class NotARecipe(ValueError):
    """A file or object that does not have the shape of a recipe; the message says what is missing."""


@dataclass(frozen=True)
class Recipe:
    """A paper you can run.

    slug      the name on the command line; the file is recipes/FAMILY/SLUG.py, hyphens as underscores
    arms      name -> Settings, a frozen dataclass of numbers, text, booleans and tuples of them; every arm the same class
    run       (settings, rng, log) -> final numbers by metric, floats or Values; one cell: an arm under one seed
    claims    fixed before the run
    control   the arm with the mechanism off; serves every claim that does not name its own
    seeds     the least number of seeds of a full run
    minutes   how long the full run takes on two cores
    quick     settings replaced in quick mode: the smallest honest run, about 1.5 seconds of CPU in all, never a verdict
    metrics   metric -> (unit, what it is in plain words), for tables and pages; `watch` names the one to show live
    """

    slug: str
    arms: Mapping[str, Any]
    run: Callable[..., Mapping[str, Any]]
    claims: tuple[Claim, ...]
    control: str | None
    seeds: int
    minutes: float
    quick: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    watch: str = ""
