"""The parts of EPO: its terms against their definitions, the errands against rules written anew, the search by hand."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ludus.learn.objective import score
from ludus.models.transformer import Size, Transformer, causal
from ludus.recipes.agents import epo_entropy as epo
from ludus.recipes.agents.epo_entropy import ARMS, WORDS, Learner, Settings, World
from ludus.study import Log

TURNS = 12
SMALL = Settings(batch=8, turns=TURNS, minibatches=2, updates=8)


def a_world(place=(0, 1, 2, 3, 4), goal=3, room=0, hand=0):
    one = np.zeros(1, bool)
    return World(np.array([place]), np.array([goal]), np.array([room]), np.array([hand]), one, one, one)


def a_learner(seed=0):
    model = Transformer(Size(1, 8, 2, 2 + 2 * TURNS, WORDS.size), np.random.default_rng(seed))
    torch.manual_seed(seed)
    net = nn.ModuleDict({"policy": model, "value": nn.Linear(8, 1)})
    return Learner(net, torch.optim.SGD(net.parameters(), 0.1))


# --- the loss


def test_the_corridor_is_charged_by_the_distance_outside_of_it():
    entropy = torch.tensor([[0.2, 0.5, 1.0, 1.5, 1.9]])
    np.testing.assert_allclose(epo.outside(entropy, 1.0, 0.5, 1.5), [[0.3, 0, 0, 0, 0.4]], atol=1e-6)
    np.testing.assert_allclose(epo.outside(entropy, 2.0, 0.0, 0.75), [[0, 0, 0, 0, 0.4]], atol=1e-6)


def test_smoothing_pulls_towards_the_corridor_from_both_sides():
    """Lemma A.11 of the paper: the gradient is -1 below, 0 inside and +1 above."""
    entropy = torch.tensor([[0.2, 1.0, 1.9]], requires_grad=True)
    epo.outside(entropy, 1.0, 0.5, 1.5).sum().backward()
    assert entropy.grad.tolist() == [[-1.0, 0.0, 1.0]]


def test_beta_falls_from_two_by_the_cube_of_e_at_half_time():
    assert epo.beta(0, 24) == 2.0
    assert epo.beta(12, 24) == pytest.approx(1 + np.e**-3)
    assert epo.beta(24, 24) == pytest.approx(1 + np.e**-6)


def loss_by_hand(learner, rollouts, won, bonus, charge, centre, settings):
    """The loss of one whole batch, a row and a token at a time, with equation 16 of GAE summed out."""
    policy, head = learner.net["policy"], learner.net["value"]
    final = []
    tokens = torch.from_numpy(rollouts.tokens)
    logits = policy(tokens, *causal(tokens != 0), hook=lambda site, x: final.append(x) if site == "final" else None)[0]
    values, advantages, logs, entropies = [], [], [], []
    for row in range(len(tokens)):
        columns = np.flatnonzero(rollouts.turn[row] >= 0)
        value = torch.stack([head(final[0][row, column - 1])[0] for column in columns])
        known = [*value.tolist(), 0.0]
        reward = [0.0] * (len(columns) - 1) + [float(won[row])]
        delta = [reward[i] + known[i + 1] - known[i] for i in range(len(columns))]
        advantages.append([
            sum(settings.decay ** (j - i) * delta[j] for j in range(i, len(columns))) for i in range(len(columns))
        ])  # fmt: skip
        chances = torch.stack([logits[row, column - 1].log_softmax(-1) for column in columns])
        logs.append(chances[range(len(columns)), tokens[row, columns]])
        entropies.append(-(chances.exp() * chances).sum(-1))
        values.append(value)
    every = np.concatenate(advantages)
    total = 0.0
    for row, value in enumerate(values):
        aim = torch.tensor(advantages[row]) + value.detach()
        scaled = (torch.tensor(advantages[row]) - every.mean()) / (every.std() + 1e-8)
        entropy = entropies[row]
        term = -scaled * (logs[row] - logs[row].detach()).exp() - bonus * entropy + 0.5 * (value - aim) ** 2
        for limit, sign in ((settings.low, 1), (settings.high, -1)):
            term = term + bonus * charge * torch.clamp(sign * (limit * centre - entropy), min=0)
        total = total + term.mean() / len(values)
    return total


@pytest.mark.parametrize(
    ("settings", "bonus", "charge", "centre"),
    [
        (replace(SMALL, bonus=0.3, smoothing=2.0), 0.3, 2 * (1 + np.exp(-3 * 2 / 4)), 2.0),
        (replace(SMALL, bonus=0.3, smoothing=2.0, relaxing=False), 0.3, 2.0, 2.0),
        (replace(SMALL, bonus=0.3, smoothing=2.0, relaxing=False, window=1), 0.3, 2.0, 3.0),
        (replace(SMALL, bonus=0.4, decaying=True), 0.3, 0.0, 2.0),
        (SMALL, 0.0, 0.0, 2.0),
    ],
)
def test_an_update_follows_the_loss_written_out_by_hand(settings, bonus, charge, centre):
    settings = replace(settings, minibatches=1, low=0.9, high=1.1)
    rng = np.random.default_rng(1)
    learner = a_learner()
    rollouts, _ = epo.play(learner.net["policy"], epo.errands(8, rng), TURNS, rng)
    won = np.arange(8) % 3 == 0
    twin = deepcopy(learner)
    epo.improve(learner, rollouts, won, np.array([1.0, 3.0]), settings, np.random.default_rng(2))
    loss = loss_by_hand(twin, rollouts, won, bonus, charge, centre, settings)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(twin.net.parameters(), 1.0)
    for moved, still in zip(learner.net.parameters(), twin.net.parameters(), strict=True):
        np.testing.assert_allclose(moved.detach(), (still - 0.1 * still.grad).detach(), atol=2e-5)


def test_the_first_update_has_no_past_to_be_held_near():
    rng = np.random.default_rng(1)
    one, other = a_learner(), a_learner()
    rollouts, _ = epo.play(one.net["policy"], epo.errands(8, rng), TURNS, rng)
    for learner, smoothing in ((one, 0.0), (other, 9.0)):
        epo.improve(learner, rollouts, np.arange(8) < 3, np.zeros(0), replace(SMALL, bonus=0.3, smoothing=smoothing),
                    np.random.default_rng(2))  # fmt: skip
    for left, right in zip(one.net.parameters(), other.net.parameters(), strict=True):
        assert torch.equal(left, right)


def test_the_swing_and_its_rise():
    past = np.cumsum([1.0, 1, 3, 2, 2, 5, 5])  # changes 1 3, 2 2, 5 5
    swing, rise = epo.swings(past)
    assert swing == pytest.approx(np.std([1, 3, 2, 2, 5, 5]))
    assert rise == pytest.approx(0.0)  # spreads of the thirds: 1, 0, 0


# --- the errands


def test_an_errand_from_start_to_end():
    world = a_world(place=(1, 2, 3, 4, 5), goal=epo.RED, room=1)
    seen = []
    for action in (epo.TAKE, epo.RIGHT, epo.TAKE, epo.RIGHT, epo.COMBINE, epo.RIGHT, epo.DELIVER):
        seen.append(WORDS.text(epo.sight(world)))
        world = epo.step(world, np.array([action]))
    assert " ".join(seen) == (
        "iron/nothing empty/iron wood/iron empty/iron-and-wood forge/iron-and-wood forge/tool red-door/tool"
    )
    assert world.over[0] and world.won[0]


@pytest.mark.parametrize(
    ("world", "word"),
    [
        (a_world(room=5), "take"),
        (a_world(room=2), "take"),
        (a_world(room=0, hand=1), "take"),
        (a_world(room=2, hand=1), "combine"),
        (a_world(room=1, hand=3), "combine"),
        (a_world(room=3, hand=3), "deliver"),
        (a_world(room=2, hand=4), "deliver"),
    ],
)
def test_actions_that_make_no_sense_change_nothing(world, word):
    for action in (epo.ACTIONS.index(word), -2, -1, 5, 40):
        after = epo.step(world, np.array([action]))
        assert all((one == other).all() for one, other in zip(world, after, strict=True))


def test_the_wrong_door_ends_the_errand_and_walls_are_felt():
    lost = epo.step(a_world(room=4, hand=4), np.array([epo.DELIVER]))
    assert lost.over[0] and not lost.won[0]
    assert all((one == other).all() for one, other in zip(lost, epo.step(lost, np.array([epo.LEFT])), strict=True))
    bumped = epo.step(a_world(room=6), np.array([epo.RIGHT]))
    assert bumped.room[0] == 6 and WORDS.text(epo.sight(bumped)) == "wall/nothing"
    assert WORDS.text(epo.sight(epo.step(bumped, np.array([epo.LEFT])))) == "empty/nothing"


def test_the_search_finds_the_shorter_of_the_two_orders_of_fetching():
    world = epo.errands(500, np.random.default_rng(0))
    for row, found in enumerate(epo.shortest(world)):
        iron, wood, forge = world.place[row, :3]
        start, door = world.room[row], world.place[row, world.goal[row]]
        walks = [abs(start - a) + abs(a - b) + abs(b - forge) for a, b in ((iron, wood), (wood, iron))]
        assert found == min(walks) + abs(forge - door) + 4
    assert epo.shortest(a_world(room=3, hand=4))[0] == 1


def test_a_careful_worker_always_arrives_and_a_random_one_hardly_ever():
    rng = np.random.default_rng(0)
    assert epo.worked(epo.errands(500, rng), 36, 0.0, rng)[1].won.all()
    assert epo.worked(epo.errands(500, rng), 36, 1.0, rng)[1].won.mean() < 0.02


def test_what_workers_and_models_say_is_what_the_world_does():
    """Each row's words, replayed one by one, give the sights that stand between them."""
    rng = np.random.default_rng(3)
    start = epo.errands(20, rng)
    wild = Transformer(Size(1, 8, 2, 2 + 2 * TURNS, WORDS.size), rng)
    for rollouts, end in (epo.worked(start, TURNS, 0.3, rng), epo.play(wild, start, TURNS, rng)):
        for row in range(20):
            world = World(*(part[row : row + 1] for part in start))
            spoken = [token for token in rollouts.tokens[row] if token][1:]
            assert spoken[0] == epo.sight(world)[0]
            for said, then in zip(spoken[1::2], [*spoken[2::2], None], strict=False):
                assert not world.over[0]
                world = epo.step(world, np.array([said - epo.ACTION]))
                assert then is None or then == epo.sight(world)[0]
            assert world.won[0] == end.won[row] and world.over[0] == end.over[row]
            assert (rollouts.turn[row] >= 0).sum() == len(spoken[1::2])


def test_log_probabilities_while_playing_are_those_of_scoring():
    rng = np.random.default_rng(4)
    model = Transformer(Size(1, 8, 2, 2 + 2 * TURNS, WORDS.size), rng)
    rollouts, _ = epo.play(model, epo.errands(6, rng), TURNS, rng)
    np.testing.assert_allclose(score(model, rollouts).log_prob.detach(), rollouts.log_prob, atol=1e-5)


# --- the arms


def test_arms_differ_from_epo_in_one_thing():
    full = ARMS["epo"]
    for arm, changes in {
        "constant": {"smoothing": 0.0},
        "published": {"smoothing": 0.1, "low": 0.0, "high": 2.0},
        "fixed_beta": {"relaxing": False},
        "window_1": {"window": 1},
        "shuffled": {"shuffled": True},
    }.items():
        assert ARMS[arm] == replace(full, **changes)


def test_shuffled_rewards_reach_the_update_in_another_order_and_number_the_same(tmp_path, monkeypatch):
    paid = {}

    def keep(learner, rollouts, won, past, settings, rng):
        paid.setdefault(settings.shuffled, []).append(won)
        return {"entropy": 1.0, "outside": 0.0}

    monkeypatch.setattr(epo, "improve", keep)
    quick = {**epo.RECIPE.quick, "turns": 36, "batch": 64, "exam": 2}
    monkeypatch.setattr(epo, "play", lambda policy, world, *rest: epo.worked(world, 36, 0.3, np.random.default_rng(0)))
    for arm in ("epo", "shuffled"):
        epo.run(replace(ARMS[arm], **quick), np.random.default_rng(7), Log(tmp_path / arm))
    for straight, mixed in zip(paid[False], paid[True], strict=True):
        assert straight.sum() == mixed.sum() and 0 < straight.sum() < 64
        assert (straight != mixed).any()


def test_too_few_updates_are_refused():
    with pytest.raises(ValueError, match="updates: at least 4"):
        Settings(updates=3)
