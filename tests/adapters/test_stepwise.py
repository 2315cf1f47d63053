"""A game stepped from outside: the same game as the histories walk it, and every illegal action refused."""

import numpy as np
import pytest
from tests import naive

from ludus import games
from ludus.adapters import stepwise
from ludus.agents.scripted import first_legal
from ludus.agents.uniform import uniform
from ludus.game import CHANCE, OVER, IllegalAction
from ludus.play import replay

SPECS = ["kuhn_poker", "stag_hunt", "negotiation(turns=2, bell=50)", "hex(rows=2, columns=2)"]


@pytest.mark.parametrize("spec", SPECS)
def test_every_state_is_shown_as_the_rules_have_it(spec):
    game = games.load(spec)
    for _, state, mover, moves in naive.histories(game):
        able = [move in moves and mover >= 0 for move in range(game.actions)]
        assert stepwise.turn(game, state) == mover
        assert stepwise.legal(game, state).tolist() == able
        assert stepwise.weights(game, state).tolist() == [moves.get(move, 0.0) for move in range(game.width)]
        paid = naive.payoff_of(game, state) if mover == OVER else (0.0,) * game.players
        assert tuple(stepwise.payoff(game, state)) == paid
        for player in range(game.players):
            assert tuple(stepwise.view(game, state, player)) == naive.infoset_of(game, state, player)[1:]


@pytest.mark.parametrize("spec", SPECS)
def test_whatever_is_not_legal_raises_and_changes_nothing(spec):
    game = games.load(spec)
    for _, state, mover, moves in naive.histories(game):
        able = moves if mover >= 0 else {}
        for action in [*range(-1, game.width + 1), None, 0.0, True, "0"]:
            if action in able and type(action) is int:
                continue
            before = state.copy()
            with pytest.raises(IllegalAction, match="action: "):
                stepwise.act(game, state, action)
            assert (state == before).all()


def test_an_illegal_action_says_what_was_legal():
    game = games.load("kuhn_poker")
    state = replay(game, [2, 0]).state
    with pytest.raises(IllegalAction, match="player 0 at 'K' chose 7; legal are 0 pass, 1 bet"):
        stepwise.act(game, state, 7)


def test_chance_moves_by_its_probabilities():
    """Six deals of Kuhn poker, all alike: each within five standard deviations of a sixth of 3000."""
    game, rng, dealt = games.load("kuhn_poker"), np.random.default_rng(5), {}
    for _ in range(3000):
        state = game.start.copy()
        stepwise.settle(game, state, rng)
        assert stepwise.turn(game, state) == 0 != CHANCE
        dealt[tuple(state[:2])] = dealt.get(tuple(state[:2]), 0) + 1
    assert len(dealt) == 6 and all(abs(count - 500) < 5 * np.sqrt(3000 * 5 / 36) for count in dealt.values())


class Last:
    """A Chooser: the last legal action, after drawing numbers that it does not need."""

    def choose(self, views, legal, uniforms):
        assert uniforms(3).shape == (1, 3)
        return legal.shape[1] - 1 - legal[:, ::-1].argmax(axis=1), np.ones(len(views)), {}


def test_policies_and_choosers_choose():
    game, rng = games.load("kuhn_poker"), np.random.default_rng(0)
    state = replay(game, [2, 0]).state
    assert stepwise.choose(game, state, first_legal, rng) == 0
    assert stepwise.choose(game, state, Last(), rng) == 1
    assert {stepwise.choose(game, state, uniform, rng) for _ in range(50)} == {0, 1}


@pytest.mark.parametrize("row", [[0.5, 0.4], [1.5, -0.5], [1.0], [np.nan, 1.0]])
def test_what_is_no_probability_is_refused(row):
    game = games.load("kuhn_poker")
    state = replay(game, [2, 0]).state
    with pytest.raises(ValueError, match=r"policy: at 'K' player 0's policy returned"):
        stepwise.choose(game, state, lambda views, legal: np.array([row]), np.random.default_rng(0))
