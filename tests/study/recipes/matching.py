"""Regret matching on rock, paper, scissors: both players' average play nears the equilibrium.

Paper     A simple adaptive procedure leading to correlated equilibrium, Hart and Mas-Colell (2000); (2.1).
There     A proof that the empirical play of regret matching has no regret in the limit; no figures.
Here      Rock, paper, scissors with a biased payoff, sampled actions, exact exploitability of the average play.
Claims    1. Regret matching ends less exploitable than 0.3, where uniform play is at 0.333.
Leaves    Correlated equilibria of games with more than two players.
"""

import os
import time
from dataclasses import dataclass

import numpy as np

from ludus.study import Lower, Recipe

PAYOFF = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])

PAUSE = float(os.environ.get("LUDUS_TEST_PAUSE", "0"))  # seconds, so that a test can kill it on the way


@dataclass(frozen=True)
class Settings:
    rounds: int = 300
    listens: float = 1.0  # share of the regret that is kept; 0 is the control


ARMS = {"matching": Settings(), "deaf": Settings(listens=0.0)}


def run(settings, rng, log):
    state = log.restore() or {"round": 0, "regret": np.zeros((2, 3)), "played": np.zeros((2, 3)), "rng": rng}
    regret, played, rng = state["regret"], state["played"], state["rng"]
    for step in range(state["round"], settings.rounds):
        positive = np.maximum(regret, 0)
        total = positive.sum(1, keepdims=True)
        policy = np.where(total > 0, positive / np.maximum(total, 1e-300), [0.6, 0.2, 0.2])
        first, second = (rng.choice(3, p=row) for row in policy)
        played[0, first] += 1
        played[1, second] += 1
        regret[0] += settings.listens * (PAYOFF[:, second] - PAYOFF[first, second])
        regret[1] += settings.listens * (PAYOFF[first, second] - PAYOFF[first])
        if step % 20 == 19:
            log.row(step, exploitability=exploitability(played))
            log.checkpoint({"round": step + 1, "regret": regret, "played": played, "rng": rng})
        time.sleep(PAUSE)
    log.example(f"The first player played {played[0]} times rock, paper and scissors.")
    return {"exploitability": exploitability(played)}


def exploitability(played):
    first, second = played / played.sum(1, keepdims=True)
    return float(((PAYOFF @ second).max() - (first @ PAYOFF).min()) / 2)


RECIPE = Recipe(
    slug="matching",
    arms=ARMS,
    run=run,
    claims=(Lower("matching", than=0.3, metric="exploitability"),),
    control="deaf",
    seeds=6,
    minutes=0.1,
    quick={"rounds": 60},
    metrics={"exploitability": ("payoff a round", "what a best response gains, averaged over the players")},
    watch="exploitability",
)
