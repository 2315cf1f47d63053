"""Uniform random play against OpenSpiel and PettingZoo, both driven from Python, and against Pgx, compiled by JAX.

A step is an action applied, chance outcomes among them. Against Pgx only the players' actions count, as its cards are
dealt when a game is made, and what the mover sees is written down at each of them: ours keeps the Episodes of all
games (int64 views, legal actions, probabilities), Pgx's state holds its planes and legal actions until the next step.
Pgx steps a batch of games in lock step within one jitted scan, finished games replaced by new ones, as its own
documentation does; the best of three batch sizes counts. Everything is pinned to one core.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/playouts.py
"""

import os
import random
import time

import numpy as np

from ludus.games import load
from ludus.play import playouts, random_episodes
from pairing import compare

BATCHES = (1024, 4096, 8192)
STEPS = 64  # of every game of a batch in one call


def ours(name, unit, games):
    game, rng = load(name), np.random.default_rng(1)

    def work():
        _, length = playouts(game, games, rng)
        return len(length) if unit == "games" else int(length.sum())

    return work


def ours_written(name, games):
    game, rng = load(name), np.random.default_rng(1)
    return lambda: len(random_episodes(game, games, rng).action)


def pgx_written(name):
    """The fastest batch of Pgx's games under uniform random play."""
    import jax
    import pgx

    env = pgx.make(name)
    works = [pgx_batch(jax, env, batch) for batch in BATCHES]

    def slowness(work):
        work()  # compiles
        start = time.process_time()
        return -sum(work() for _ in range(5)) / (time.process_time() - start)

    return min(works, key=slowness)


def pgx_batch(jax, env, batch):
    from pgx.experimental.wrappers import auto_reset

    advance = jax.vmap(auto_reset(env.step, env.init))

    def step(carry, _):
        state, key = carry
        key, draw, renew = jax.random.split(key, 3)
        rank = jax.numpy.cumsum(state.legal_action_mask, axis=1)
        wanted = jax.random.uniform(draw, (batch, 1)) * rank[:, -1:]
        action = jax.numpy.argmax(rank > wanted, axis=1)
        return (advance(state, action, jax.random.split(renew, batch)), key), None

    run = jax.jit(lambda carry: jax.lax.scan(step, carry, None, length=STEPS)[0])
    carry = jax.vmap(env.init)(jax.random.split(jax.random.key(1), batch)), jax.random.key(2)

    def work():
        nonlocal carry
        carry = jax.block_until_ready(run(carry))
        return batch * STEPS

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
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # read by JAX
    steps, games = ours("connect_four", "steps", 20_000), ours("kuhn_poker", "games", 200_000)
    work = "uniform random play, connect four"
    compare(work, "OpenSpiel from Python", "steps/s", steps, lambda: openspiel("connect_four", "steps"))
    compare(work, "PettingZoo", "steps/s", steps, pettingzoo)
    work = "uniform random play, Kuhn poker"
    compare(work, "OpenSpiel from Python", "games/s", games, lambda: openspiel("kuhn_poker", "games"))
    for name, games in (("tic_tac_toe", 20_000), ("connect_four", 4_000), ("kuhn_poker", 50_000)):
        compare(
            f"uniform random steps with the views written, {name}",
            "Pgx jitted, one core",
            "steps/s",
            ours_written(name, games),
            lambda name=name: pgx_written(name),
        )


if __name__ == "__main__":
    main()
