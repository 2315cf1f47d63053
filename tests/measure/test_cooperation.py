import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ludus.measure.cooperation import (
    cooperation_rate,
    forgiveness,
    good_partner,
    normalised_cooperation,
    propensities,
    reciprocity,
)

MEASURES = (cooperation_rate, normalised_cooperation, good_partner, forgiveness, reciprocity)


def lines(*games):
    """Games written as "CDC/CCD", the first player's actions and the second's."""
    longest = max(len(game.split("/")[0]) for game in games)
    action = np.full((len(games), longest, 2), -1)
    for e, game in enumerate(games):
        for player, line in enumerate(game.split("/")):
            action[e, : len(line), player] = ["CD".index(letter) for letter in line]
    return action


def test_two_games_by_hand():
    action = lines("CCDC/CDDC", "DC/CC")
    assert cooperation_rate(action, 0).number == 4 / 6
    assert cooperation_rate(action, 1).number == 4 / 6
    assert normalised_cooperation(action, 0).number == (3 / 4 + 1 / 2) / 2
    assert good_partner(action, 0).number == 1 / 2 and good_partner(action, 1).number == 1 / 2
    # player 0 after the other's C: C (game 1), C (game 2); after the other's D: D, C
    assert reciprocity(action, 0).number == 1 - 1 / 2
    told = {name: value.number for name, value in propensities(action, 0).items()}
    assert told == pytest.approx({"trustworthiness": 1, "forgiveness": 0, "repentance": 1, "trust": 1})


def naive_propensity(action, player, mine, yours):
    after = [
        game[t + 1][player] == 0
        for game in action
        for t in range(len(game) - 1)
        if game[t][player] == mine and game[t][1 - player] == yours and game[t + 1][player] != -1
    ]
    return sum(after) / len(after) if after else np.nan


@st.composite
def games(draw):
    action = draw(arrays(np.int64, (draw(st.integers(1, 5)), draw(st.integers(1, 6)), 2), elements=st.integers(0, 1)))
    for game in action:
        game[draw(st.integers(1, len(game))) :] = -1
    return action


@given(games(), st.integers(0, 1))
@settings(max_examples=100, deadline=None)
def test_agrees_with_counting_one_by_one(action, player):
    found = propensities(action, player)
    for name, (mine, yours) in zip(found, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
        assert found[name].number == pytest.approx(naive_propensity(action, player, mine, yours), nan_ok=True)
    rounds = [round_ for game in action for round_ in game if round_[0] != -1]
    assert cooperation_rate(action, player).number == pytest.approx(np.mean([r[player] == 0 for r in rounds]))
    good = [sum(r[player] == 0 for r in game) >= sum(r[1 - player] == 0 for r in game) for game in action]
    assert good_partner(action, player).number == pytest.approx(np.mean(good))
    shares = [np.mean([r[player] == 0 for r in game if r[0] != -1]) for game in action]
    assert normalised_cooperation(action, player).number == pytest.approx(np.mean(shares))
    for measure in MEASURES:
        value = measure(action, player)
        low, high = value.interval
        assert value.kind == "sampled" and low <= high and (np.isnan(value.number) or low <= value.number <= high)
        assert measure(action[:, :, ::-1], 1 - player)[:1] == pytest.approx(value[:1], nan_ok=True)
        assert measure(action[::-1], player).number == pytest.approx(value.number, nan_ok=True)


def simulated(games, rounds, rng, chances=(0.9, 0.3, 0.6, 0.1)):
    """Player 0 cooperates with these chances after CC, CD, DC, DD; player 1 by a coin of its own for each game."""
    action = np.zeros((games, rounds, 2), np.int64)
    coin = rng.uniform(0.2, 0.8, games)
    for t in range(rounds):
        before = 2 * action[:, t - 1, 0] + action[:, t - 1, 1]
        likely = np.asarray(chances)[before] if t else np.full(games, 0.5)
        action[:, t, 0] = rng.random(games) >= likely
        action[:, t, 1] = rng.random(games) >= coin
    return action


def test_a_memory_one_player_shows_the_chances_it_plays_with():
    found = propensities(simulated(2000, 50, np.random.default_rng(0)), 0)
    assert [value.number for value in found.values()] == pytest.approx([0.9, 0.3, 0.6, 0.1], abs=0.01)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Games differ by the other's coin, so that rounds of a game hang together and are no units for an interval."""
    rng, hits = np.random.default_rng(0), []
    own, other = simulated(40_000, 30, rng).transpose(2, 0, 1) == 0
    truth, rate = own[:, 1:][other[:, :-1]].mean() - own[:, 1:][~other[:, :-1]].mean(), own.mean()
    for _ in range(600):
        action = simulated(25, 30, rng)
        for value, number in ((reciprocity(action, 0), truth), (cooperation_rate(action, 0), rate)):
            hits.append(value.interval[0] <= number <= value.interval[1])
    assert 0.93 < np.mean(hits) < 0.97


def test_tit_for_tat_reciprocates_and_the_grudge_does_not_forgive():
    rng = np.random.default_rng(0)
    other = rng.integers(0, 2, (40, 20))
    copies = np.concatenate([np.zeros((40, 1), np.int64), other[:, :-1]], axis=1)
    grudge = np.minimum(np.cumsum(copies, axis=1), 1)
    assert reciprocity(np.stack([copies, other], axis=-1), 0).number == 1
    assert forgiveness(np.stack([grudge, other], axis=-1), 0).number == 0
    always = np.stack([np.zeros_like(other), other], axis=-1)
    assert reciprocity(always, 0).number == 0 and forgiveness(always, 0).number == 1


def test_games_that_are_all_alike_still_leave_something_open():
    """None of 20 games unlike: Clopper and Pearson's upper end is 1 - 0.025^(1/20) = 0.1684."""
    value = cooperation_rate(lines(*["CC/CD"] * 20), 0)
    assert value.number == 1 and value.interval == pytest.approx((1 - 0.1684, 1), abs=1e-4)
    value = cooperation_rate(lines(*["CD/CC"] * 20), 0)
    assert value.interval == pytest.approx((0.5 - 0.0842, 0.5 + 0.0842), abs=1e-4)


def test_what_never_came_is_unknown():
    action = lines("CC/CC")
    assert np.isnan(forgiveness(action, 0).number) and forgiveness(action, 0).interval == (0, 1)
    assert np.isnan(reciprocity(action, 0).number) and "never defected" in reciprocity(action, 0).method


@pytest.mark.parametrize(
    ("action", "player", "told"),
    [
        (np.zeros((2, 3)), 0, r"action: give int64\[E, T, 2\]; float64 of shape \(2, 3\)"),
        (np.zeros((0, 3, 2), int), 0, "action: give int64"),
        (np.zeros((2, 0, 2), int), 0, "action: games without a round"),
        (np.full((1, 1, 2), 2), 0, "action: 0 to cooperate, 1 to defect.*2 to 2 seen"),
        (np.array([[[0, -1]]]), 0, "action: a game has a first round"),
        (np.array([[[-1, -1], [0, 0]]]), 0, "action: a game has a first round"),
        (np.zeros((1, 1, 2), int), 2, "player: 0 or 1; 2 seen"),
    ],
)
def test_wrong_arguments_are_refused(action, player, told):
    for measure in MEASURES:
        with pytest.raises(ValueError, match=told):
            measure(action, player)
