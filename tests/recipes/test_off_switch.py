"""The off-switch game: its solution by independent routes, PPO's gradient, arms that must differ, a run cut short."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest

from ludus.recipes.equilibria import off_switch as game
from ludus.recipes.equilibria.off_switch import ACT, ARMS, DEFER, OFF, RECIPE, Settings
from ludus.study import Higher, Log
from ludus.study.recipe import BadSetting, load, resolve
from ludus.study.run import run_study

QUICK = {name: replace(arm, **RECIPE.quick) for name, arm in ARMS.items()}


class Notebook:
    """A log that keeps everything in memory, and stops the run after `stop` checkpoints."""

    quick = True

    def __init__(self, state=None, stop=math.inf):
        self.state, self.stop, self.rows, self.text, self.saved = state, stop, [], "", 0

    def row(self, step, **metrics):
        self.rows.append((step, metrics))

    def example(self, text):
        self.text = text

    def checkpoint(self, state):
        self.state, self.saved = copy.deepcopy(state), self.saved + 1
        if self.saved == self.stop:
            raise KeyboardInterrupt

    def restore(self):
        return copy.deepcopy(self.state)


def by_sum(mean, sigma, policy):
    """E[policy(u) u] as a plain midpoint sum over a fine grid with a midpoint on neither side of 0."""
    edges = np.linspace(mean - 10 * sigma, mean + 10 * sigma, 400_001)
    u = (edges[1:] + edges[:-1]) / 2
    density = np.exp(-(((u - mean) / sigma) ** 2) / 2)
    return float((policy(u) * u * density).sum() / density.sum())


def test_a_rational_human_rectifies_the_belief():
    assert game.deferring(0.0, 1.0, 0.0) == pytest.approx(1 / math.sqrt(2 * math.pi), abs=1e-15)
    for mean in (-1.3, 0.0, 0.4, 2.0):
        for sigma in (0.1, 1.0, 3.0):
            closed = game.deferring(mean, sigma, 0.0)
            assert closed == pytest.approx(game.quadrature(lambda u: max(u, 0.0), mean, sigma), abs=1e-10)
            assert closed == pytest.approx(by_sum(mean, sigma, lambda u: u > 0), abs=1e-7)
            assert game.incentive(mean, sigma, 0.0) > 0 or sigma < abs(mean) / 8  # there it is below rounding


@pytest.mark.parametrize("beta", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("mean, sigma", [(-1.0, 0.5), (0.0, 1.0), (0.7, 2.0)])
def test_a_boltzmann_human_by_quadrature(mean, sigma, beta):
    expected = by_sum(mean, sigma, lambda u: 0.5 + 0.5 * np.tanh(u / (2 * beta)))
    assert game.deferring(mean, sigma, beta) == pytest.approx(expected, abs=1e-7)
    # 1 / (1 + exp(-u)) + 1 / (1 + exp(u)) = 1, so mirrored beliefs have the same incentive
    assert game.incentive(mean, sigma, beta) == pytest.approx(game.incentive(-mean, sigma, beta), abs=1e-10)


def test_the_limits_of_noise_and_of_certainty():
    assert game.deferring(0.8, 1.0, 1e-4) == pytest.approx(game.deferring(0.8, 1.0, 0.0), abs=1e-7)  # rational
    assert game.deferring(0.8, 1.0, 1e7) == pytest.approx(0.4, abs=1e-6)  # a coin
    for beta in (0.0, 0.3, 1.0):
        assert game.deferring(0.8, 1e-4, beta) == pytest.approx(game.deferring(0.8, 0.0, beta), abs=1e-7)
    for mean in (-1.0, 1.0):
        assert game.incentive(mean, 0.0, 0.0) == 0
        assert game.incentive(mean, 0.0, 1.0) == pytest.approx(-1 / (1 + math.e), abs=1e-15)


def test_without_evidence_deferring_never_pays():
    assert game.incentive(1.0, 1.0, 0.0, evidence=False) == pytest.approx(0.8413447460685429 - 1, abs=1e-12)
    for mean, sigma, beta in [(-1.0, 2.0, 0.0), (0.5, 1.0, 0.5), (2.0, 0.5, 2.0)]:
        assert game.incentive(mean, sigma, beta, evidence=False) < 0


@pytest.mark.parametrize("mean, sigma, beta", [(0.5, 1.5, 0.0), (-0.5, 1.0, 1.0), (1.0, 0.0, 0.5)])
def test_sampled_games_are_worth_what_the_solution_says(mean, sigma, beta):
    games = 200_000
    beliefs = np.tile((mean, sigma, beta), (games, 1))
    wanted = {
        "uncertain": {ACT: mean, OFF: 0.0, DEFER: game.deferring(mean, sigma, beta)},
        "no_evidence": {ACT: mean, OFF: 0.0, DEFER: game.allowing(mean, sigma, beta) * mean},
    }
    for arm, worth in wanted.items():
        for choice, number in worth.items():
            payoff = game.play(beliefs, np.full(games, choice), ARMS[arm], np.random.default_rng(5))
            assert payoff.mean() == pytest.approx(number, abs=5 * payoff.std() / math.sqrt(games) + 1e-12)


def test_shuffling_moves_payoffs_between_games_and_changes_none():
    rng = np.random.default_rng(1)
    beliefs = rng.uniform((-2, 0, 0), (2, 2, 2), (500, 3))
    choice = rng.integers(3, size=500)
    plain = game.play(beliefs, choice, ARMS["uncertain"], np.random.default_rng(2))
    mixed = game.play(beliefs, choice, ARMS["shuffled"], np.random.default_rng(2))
    assert np.array_equal(np.sort(plain), np.sort(mixed))
    assert (plain[choice == OFF] == 0).all() and (mixed[choice == OFF] != 0).any()


def test_the_gradient_of_ppo_is_the_slope_of_its_loss():
    rng = np.random.default_rng(3)
    weights = game.start_ppo(rng)["weights"]
    weights = {name: w + 0.3 * rng.standard_normal(w.shape) for name, w in weights.items()}
    beliefs, choice = rng.uniform(-2, 2, (64, 3)), rng.integers(3, size=64)
    payoff, advantage = rng.standard_normal((2, 64))
    prob = np.exp(game.think(weights, beliefs)[0])[np.arange(64), choice]
    before = prob * rng.choice([0.5, 0.9, 1.1, 2.0], 64)  # ratios on both sides of the clip, none at its corner
    _, gradient = game.ppo_loss(weights, beliefs, choice, payoff, before, advantage, 0.1)
    for name, w in weights.items():
        for place in [tuple(rng.integers(w.shape)) for _ in range(6)]:
            ends = []
            for move in (1e-6, -1e-6):
                moved = w.copy()
                moved[place] += move
                args = ({**weights, name: moved}, beliefs, choice, payoff, before, advantage, 0.1)
                ends.append(game.ppo_loss(*args)[0])
            assert gradient[name][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=2e-7)


def test_learners_find_the_incentive_that_they_are_never_told():
    arm = replace(QUICK["uncertain"], games=60_000)
    log = Notebook()
    found = game.run(arm, np.random.default_rng(70_011), log)
    assert found["q_agreement"].number == 1 and found["ppo_agreement"].number >= 0.75
    assert found["q_gain"].number == pytest.approx(found["best_gain"].number, abs=0.01)
    assert [step for step, _ in log.rows] == [60_000, 120_000]
    assert log.text.count("mean ") == 3 and {"A", "O", "D"} <= set(log.text)


def test_arms_without_the_mechanism_gain_nothing():
    found = {name: game.run(arm, np.random.default_rng(70_012), Notebook()) for name, arm in QUICK.items()}
    for arm in ("certain", "no_evidence"):
        for learner in ("q", "ppo"):
            assert found[arm][f"{learner}_gain"].number < found["uncertain"][f"{learner}_gain"].number - 0.05
    assert found["uncertain"]["rational_losses"].number == 0 < found["no_evidence"]["rational_losses"].number
    assert found["certain"]["erring_deferrals"].number == 0 < found["uncertain"]["erring_deferrals"].number
    assert all(set(RECIPE.metrics) == set(numbers) for numbers in found.values())
    assert all(claim.metric in RECIPE.metrics for claim in RECIPE.claims)


def test_a_run_cut_short_goes_on_bit_for_bit():
    arm = replace(QUICK["uncertain"], rounds=3, games=4_500)
    whole = Notebook()
    expected = game.run(arm, np.random.default_rng(9), whole)
    assert game.run(arm, np.random.default_rng(9), Notebook()) == expected
    cut = Notebook(stop=1)
    with pytest.raises(KeyboardInterrupt):
        game.run(arm, np.random.default_rng(9), cut)
    rest = Notebook(state=cut.state)
    assert game.run(arm, np.random.default_rng(10), rest) == expected  # the saved generator counts, not the new one
    assert cut.rows + rest.rows == whole.rows and rest.text == whole.text


def test_a_run_cut_short_goes_on_from_disk(tmp_path):
    class Cut(Log):
        def checkpoint(self, state):
            super().checkpoint(state)
            raise KeyboardInterrupt

    arm = replace(QUICK["uncertain"], games=4_500)
    with pytest.raises(KeyboardInterrupt):
        game.run(arm, np.random.default_rng(9), Cut(tmp_path))
    rest = game.run(arm, np.random.default_rng(10), Log(tmp_path))
    assert rest == game.run(arm, np.random.default_rng(9), Notebook())


@pytest.mark.parametrize(
    "wrong",
    [{"rounds": 0}, {"games": 10}, {"batch": 1}, {"sigmas": (-1.0,)}, {"betas": (-0.5, 1.0)}, {"means": ()}],
)
def test_settings_under_which_nothing_could_be_played_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)
    with pytest.raises(BadSetting, match=next(iter(wrong))):
        resolve(RECIPE, wrong)


def test_the_grid_favours_no_constant_robot():
    arm = Settings()
    cells = [(m, s, b) for m in arm.means for s in arm.sigmas for b in arm.betas]
    delta = np.array([game.incentive(*cell) for cell in cells])
    decisive = np.abs(delta) > game.DECISIVE
    assert (len(cells), decisive.sum()) == (225, 178)  # the numbers in the recipe's docstring
    assert (len(ARMS), RECIPE.seeds, len(RECIPE.claims)) == (4, 8, 9)  # and these
    assert 0.4 < (delta[decisive] > 0).mean() < 0.6
    assert all(claim.than == 0.95 for claim in RECIPE.claims if isinstance(claim, Higher) and "agree" in claim.metric)


def test_it_runs_as_a_study(tmp_path):
    path = game.__file__
    run = run_study(load(path), path, runs=tmp_path, quick=True)
    assert set(run.results["numbers"]) == set(ARMS)
    assert run.results["numbers"]["uncertain"]["q_agreement"]["kind"] == "exact"
