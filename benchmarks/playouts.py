"""Uniform random play against OpenSpiel and PettingZoo, both driven from Python.

A step is an action applied, chance outcomes among them.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/playouts.py
"""

import random

import numpy as np

from ludus.games import load
from ludus.play import playouts
from pairing import compare


def ours(name, unit, games):
    game, rng = load(name), np.random.default_rng(1)

    def work():
        _, length = playouts(game, games, rng)
        return len(length) if unit == "games" else int(length.sum())

    return work


def openspiel(name, unit):
    """One game after another through pyspiel's states, as its own examples do."""
    import pyspiel

    game, rng = pyspiel.load_game(name), random.Random(1)

    def work():
        state, steps = game.new_initial_state(), 0
        while not state.is_terminal():
            if state.is_chance_node():
                outcomes, weights = zip(*state.chance_outcomes(), strict=True)
                action = rng.choices(outcomes, weights)[0]
            else:
                action = rng.choice(state.legal_actions())
            state.apply_action(action)
            steps += 1
        return 1 if unit == "games" else steps

    return work


def pettingzoo():
    """Connect four through the agent iterator; the mask of legal actions comes with each observation."""
    from pettingzoo.classic import connect_four_v3

    env, rng = connect_four_v3.env(), random.Random(1)

    def work():
        env.reset(seed=rng.randrange(2**31))
        steps = 0
        for _ in env.agent_iter():
            observation, _, termination, truncation, _ = env.last()
            if termination or truncation:
                env.step(None)
            else:
                env.step(rng.choice(observation["action_mask"].nonzero()[0]))
                steps += 1
        return steps

    return work


def main():
    steps, games = ours("connect_four", "steps", 20_000), ours("kuhn_poker", "games", 200_000)
    work = "uniform random play, connect four"
    compare(work, "OpenSpiel from Python", "steps/s", steps, lambda: openspiel("connect_four", "steps"))
    compare(work, "PettingZoo", "steps/s", steps, pettingzoo)
    work = "uniform random play, Kuhn poker"
    compare(work, "OpenSpiel from Python", "games/s", games, lambda: openspiel("kuhn_poker", "games"))


if __name__ == "__main__":
    main()
