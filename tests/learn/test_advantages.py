"""Advantages against loops written from the definitions."""

import numpy as np

from ludus.learn.advantages import gae, group_centred, group_relative, last_token, leave_one_out, returns, spread


def groups(rng):
    group = rng.permutation(np.repeat([7, 3, 9, 4], [5, 4, 6, 1]))
    reward = rng.normal(size=16)
    reward[group == 3] = 2.5  # equals
    return reward, group


def test_groups():
    reward, group = groups(np.random.default_rng(0))
    for number in range(16):
        mates = reward[group == group[number]]
        others = np.delete(reward, number)[np.delete(group, number) == group[number]]
        assert np.isclose(group_centred(reward, group)[number], reward[number] - mates.mean())
        assert np.isclose(
            group_relative(reward, group)[number],
            (reward[number] - mates.mean()) / mates.std() if mates.std() > 1e-9 else 0,
        )
        assert np.isclose(leave_one_out(reward, group)[number], reward[number] - others.mean() if len(others) else 0)


def test_returns_and_spreading():
    assert returns(np.array([[1.0, 2.0, 4.0]]), 0.5).tolist() == [[3.0, 4.0, 4.0]]
    turn = np.array([[-1, 0, 0, -1, 1, -1], [0, -1, 2, 2, 2, -1]])
    weight = np.array([[5.0, 6.0, 7.0], [1.0, 2.0, 3.0]])
    assert spread(weight, turn).tolist() == [[0, 5, 5, 0, 6, 0], [1, 0, 3, 3, 3, 0]]
    assert spread(np.array([2.0, 3.0]), turn).tolist() == [[0, 2, 2, 0, 2, 0], [3, 0, 3, 3, 3, 0]]
    assert last_token(weight, turn).tolist() == [[0, 0, 5, 0, 6, 0], [1, 0, 0, 0, 3, 0]]


def test_generalised_advantages_against_the_sum_of_their_definition():
    rng = np.random.default_rng(1)
    value, reward, written = rng.normal(size=(5, 9)), rng.normal(size=(5, 9)), rng.random((5, 9)) < 0.6
    written[2] = False
    found = gae(value, reward, written, 0.9, 0.7)
    for row in range(5):
        at = np.flatnonzero(written[row])
        values = np.append(value[row, at], 0.0)
        delta = reward[row, at] + 0.9 * values[1:] - values[:-1]
        expected = np.zeros(9)
        for place, column in enumerate(at):
            expected[column] = sum((0.9 * 0.7) ** later * delta[place + later] for later in range(len(at) - place))
        np.testing.assert_allclose(found[row], expected, atol=1e-12)


def test_with_decay_one_the_advantage_is_the_return_less_the_value():
    rng = np.random.default_rng(2)
    value, reward, written = rng.normal(size=(3, 6)), rng.normal(size=(3, 6)), np.ones((3, 6), bool)
    to_come = reward[:, ::-1].cumsum(1)[:, ::-1]
    np.testing.assert_allclose(gae(value, reward, written, 1.0, 1.0), to_come - value, atol=1e-12)
