"""The Moran process: a fitter mutant takes over a finite population more often than a neutral one.

Paper     Random processes in genetics, Moran (1958), Proceedings of the Cambridge Philosophical Society 54.
There     The probability of fixation of one mutant of fitness r among N is (1 - 1/r) / (1 - 1/r^N).
Here      N = 10, many populations a cell, r = 2 against the neutral 1, as in the paper's formula: 0.5005 and 0.1.
Claims    1. The fitter mutant is fixed more often than 0.3. 2. Twice the fitness comes near the formula.
Leaves    Structure, selection that depends on frequency.
"""

import os
import time
from dataclasses import dataclass

from ludus.study import Equivalent, Higher, Recipe

PAUSE = float(os.environ.get("LUDUS_TEST_PAUSE", "0"))  # seconds, so that a test can kill it on the way


@dataclass(frozen=True)
class Settings:
    fitness: float = 2.0
    size: int = 10
    populations: int = 60


ARMS = {"fit": Settings(), "neutral": Settings(fitness=1.0)}


def run(settings, rng, log):
    state = log.restore() or {"population": 0, "fixed": 0, "history": [], "rng": rng}
    fixed, history, rng = state["fixed"], state["history"], state["rng"]
    for population in range(state["population"], settings.populations):
        mutants, births = 1, 0
        while 0 < mutants < settings.size:
            weight = settings.fitness * mutants
            born = rng.random() < weight / (weight + settings.size - mutants)
            dead = rng.random() < mutants / settings.size
            mutants += int(born) - int(dead)
            births += 1
        fixed += mutants == settings.size
        history.append(births)
        log.row(population, fixed=fixed / (population + 1), births=births)
        if population % 7 == 6:
            log.checkpoint({"population": population + 1, "fixed": int(fixed), "history": history, "rng": rng})
        time.sleep(PAUSE)
    return {"fixed": fixed / settings.populations, "births": sum(history) / len(history)}


RECIPE = Recipe(
    slug="moran",
    arms=ARMS,
    run=run,
    claims=(
        Higher("fit", than=0.3, metric="fixed"),
        Equivalent("fit", than=0.5005, margin=0.15, metric="fixed"),
    ),
    control="neutral",
    seeds=6,
    minutes=0.1,
    quick={"populations": 14},
    watch="fixed",
)
