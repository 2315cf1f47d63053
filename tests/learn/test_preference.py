import math

import numpy as np
import pytest
import torch

from ludus.learn.preference import bradley_terry, dpo, ipo, simpo


def pairs(seed=0):
    """Log-probabilities of three pairs: policy's chosen and rejected, reference's chosen and rejected."""
    drawn = torch.from_numpy(np.random.default_rng(seed).normal(-9, 3, (4, 3)))
    return [row.clone().requires_grad_(i < 2) for i, row in enumerate(drawn)]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_losses_and_gradients_in_closed_form():
    beta, margin = 0.3, 0.5
    lengths = torch.tensor([1.0, 4.0, 7.0]), torch.tensor([2.0, 2.0, 5.0])
    losses = {
        "dpo": lambda c, r, rc, rr: dpo(c, r, rc, rr, beta),
        "ipo": lambda c, r, rc, rr: ipo(c, r, rc, rr, beta),
        "simpo": lambda c, r, rc, rr: simpo(c, r, *lengths, beta, margin),
        "bradley_terry": lambda c, r, rc, rr: bradley_terry(c, r),
    }
    for name, loss in losses.items():
        chosen, rejected, before, below = given = pairs()
        found = loss(*given)
        found.sum().backward()
        found = found.detach()
        for i in range(3):
            c, r, rc, rr = (float(x[i].detach()) for x in (chosen, rejected, before, below))
            lead = (c - rc) - (r - rr)
            m, n = float(lengths[0][i]), float(lengths[1][i])
            mean_lead = beta * (c / m - r / n) - margin
            value, up, down = {
                "dpo": (-math.log(sigmoid(beta * lead)), -beta * sigmoid(-beta * lead), beta * sigmoid(-beta * lead)),
                "ipo": ((lead - 1 / (2 * beta)) ** 2, 2 * (lead - 1 / (2 * beta)), -2 * (lead - 1 / (2 * beta))),
                "simpo": (
                    -math.log(sigmoid(mean_lead)),
                    -beta / m * sigmoid(-mean_lead),
                    beta / n * sigmoid(-mean_lead),
                ),
                "bradley_terry": (-math.log(sigmoid(c - r)), -sigmoid(r - c), sigmoid(r - c)),
            }[name]
            assert float(found[i]) == pytest.approx(value)
            assert float(chosen.grad[i]) == pytest.approx(up) and float(rejected.grad[i]) == pytest.approx(down)


def fitted(loss, start):
    """Parameters float64[R] that minimise a loss, from `start`."""
    parameters = start.clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([parameters], max_iter=500, tolerance_grad=1e-11, tolerance_change=1e-15)

    def closure():
        optimiser.zero_grad()
        value = loss(parameters)
        value.backward()
        return value

    optimiser.step(closure)
    return parameters.detach()


REWARD = torch.tensor([0.0, 0.7, -1.1, 2.0, 0.3], dtype=torch.float64)
REFERENCE = torch.tensor([0.1, 0.3, 0.25, 0.05, 0.3], dtype=torch.float64).log()
FIRST, SECOND = torch.cartesian_prod(torch.arange(5), torch.arange(5)).T  # every ordered pair of five replies
PREFERRED = torch.sigmoid(REWARD[FIRST] - REWARD[SECOND])  # how often the first of them wins


def test_dpo_ends_at_the_policy_that_regularised_reward_asks_for():
    """Rafailov et al., equation 4: reference * exp(r / beta), normalised. Every pair, as often as it comes."""

    def loss(logits):
        log_prob = logits.log_softmax(0)
        return (PREFERRED * dpo(log_prob[FIRST], log_prob[SECOND], REFERENCE[FIRST], REFERENCE[SECOND], 0.5)).sum()

    expected = REFERENCE.exp() * (REWARD / 0.5).exp()
    assert fitted(loss, REFERENCE).softmax(0).numpy() == pytest.approx((expected / expected.sum()).numpy(), abs=1e-6)


def test_ipo_ends_where_azar_and_others_say_also_where_one_always_wins():
    """Equation 7 with the identity: reference * exp(p / tau), p how often a reply is preferred to a random one."""
    for chance in (PREFERRED, (REWARD[FIRST] > REWARD[SECOND]).double() + 0.5 * (FIRST == SECOND)):

        def loss(logits, chance=chance):
            log_prob = logits.log_softmax(0)
            return (chance * ipo(log_prob[FIRST], log_prob[SECOND], REFERENCE[FIRST], REFERENCE[SECOND], 0.4)).sum()

        wins = torch.zeros(5, dtype=torch.float64).index_add(0, FIRST, chance) / 5
        expected = REFERENCE.exp() * (wins / 0.4).exp()
        found = fitted(loss, REFERENCE).softmax(0).numpy()
        assert found == pytest.approx((expected / expected.sum()).numpy(), abs=1e-6)


def test_a_reward_model_finds_the_differences_of_rewards():
    found = fitted(lambda s: (PREFERRED * bradley_terry(s[FIRST], s[SECOND])).sum(), torch.zeros(5).double())
    assert (found - found[0]).numpy() == pytest.approx((REWARD - REWARD[0]).numpy(), abs=1e-6)


def test_simpo_does_not_prefer_length():
    """Ten tokens of the same mean log-probability are worth one: all that is left is the margin."""
    one, ten = torch.tensor([-0.7]), torch.tensor([-7.0])
    loss = simpo(ten, one, torch.tensor([10]), torch.tensor([1]), 2.0, 0.5)
    assert float(loss) == pytest.approx(math.log(1 + math.exp(0.5)), rel=1e-6)


def test_the_reference_learns_nothing():
    chosen, rejected, before, below = pairs()
    before, below = before.requires_grad_(True), below.requires_grad_(True)
    (dpo(chosen, rejected, before, below, 0.1) + ipo(chosen, rejected, before, below, 0.1)).sum().backward()
    assert before.grad is None and below.grad is None and chosen.grad is not None


@pytest.mark.parametrize("beta", [0.0, -1.0, math.inf, math.nan])
def test_wrong_arguments_are_refused(beta):
    for loss in (dpo, ipo):
        with pytest.raises(ValueError, match="beta: give a number above zero"):
            loss(*pairs(), beta)
    with pytest.raises(ValueError, match="a reply has a token or more"):
        simpo(*pairs()[:2], torch.tensor([0, 1, 1]), torch.tensor([1, 1, 1]), 2.0, 0.5)
