"""SCoRe: the objective by hand, dialogues token by token, filters, marks, and controls that are really off."""

import copy
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from ludus.learn.rollout import GIVEN, texts
from ludus.models.transformer import Size, Transformer
from ludus.recipes.reasoners import score_self_correct as recipe
from ludus.recipes.reasoners.score_self_correct import ARMS, TASK, WORDS, Settings, Talk
from ludus.tasks import Problem, Test, Train, problems

UP = Problem("3 10 to 4 0 ?", ((3, 10), (4, 0)), 0)
SWAP = Problem("3 4 to 4 3 ?", ((3, 4), (4, 3)), 0)


@pytest.fixture(scope="module")
def base():
    return recipe.warmed(5, 16, 1, 3)


def test_the_task_by_hand():
    assert recipe.attempt(UP, "up") == "up 4 0 yes"
    assert recipe.attempt(UP, "double") == "double 6 9 no"  # 20 modulo 11
    assert recipe.attempt(UP, "down") == "down 2 9 no" and recipe.attempt(UP, "swap") == "swap 10 3 no"
    right = {"up 4 0 yes": 1, "up 4 0 no": 1, "double 4 0 yes": 0, "up 4 1 yes": 0, "up 4 0": 0, "up 4 0 yes yes": 0}
    assert {reply: recipe.VERIFIER.score(UP, reply) for reply in right} == right
    for hostile in ("", "yes", "up up up up", "__import__ 4 0 yes", "up ４ 0 yes", "up -1 0 yes", "a " * 10_000, "\0"):
        assert recipe.VERIFIER.score(UP, hostile) == 0.0


def test_every_drawn_problem_has_a_solution_that_changes_something():
    for problem in problems(TASK, Train(3), 0, 300):
        before, after = problem.key
        assert before != after and problem.prompt == f"{before[0]} {before[1]} to {after[0]} {after[1]} ?"
        assert recipe.VERIFIER.score(problem, TASK.work(problem, np.random.default_rng(0))) == 1.0
        assert set(TASK.work(problem, np.random.default_rng(0)).split()) <= set(TASK.words)


def test_advantages_are_the_equations():
    """Two problems of two dialogues each; leave-one-out means by hand."""
    reward = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    group = np.array([0, 0, 1, 1])
    # Equation 3: the second attempt is compared with the other one after a first attempt as right as its own.
    first = recipe.advantages(reward, group, "stage_1", 10.0)
    assert first.tolist() == [[0, 1], [0, 1], [0, -1], [0, -1]]
    # Equation 4, alpha = 10: second attempts earn 11, 1, 0 and -10; first ones 0, 1, 0, 1.
    second = recipe.advantages(reward, group, "stage_2", 10.0)
    assert second.tolist() == [[-1, 11], [1, 11], [-1, -11], [1, -11]]
    naive = recipe.advantages(reward, group, "stage_2", 0.0)
    assert naive.tolist() == [[-1, 1], [1, 1], [-1, -1], [1, -1]]
    # The placebo of claim 5: first attempts earn 0 + 11, 1 + 1, 0 + 0 and 1 - 10.
    both = recipe.advantages(reward, group, "stage_2", 10.0, both=True)
    assert both.tolist() == [[9, 11], [-9, 11], [9, -11], [-9, -11]]


def logit_gradient(model, base, settings, stage, seed=2):
    """How one step of plain descent changes what the model is inclined to: the step itself, as one vector."""
    moved = copy.deepcopy(model)
    optimiser = torch.optim.SGD(moved.parameters(), 1.0)
    train = problems(TASK, Train(1), 0, 20)
    recipe.reinforce(moved, base, optimiser, train, stage, settings, np.random.default_rng(seed))
    return torch.cat([(a - b).flatten() for a, b in zip(moved.parameters(), model.parameters(), strict=True)])


def test_a_step_is_the_gradient_of_the_written_objective(base):
    """Against the sum over dialogues written out with one forward pass each, without the stack of losses."""
    settings, seed = replace(ARMS["score"], batch=16), 2
    model = recipe.warmed(6, 16, 1, 3)
    train = problems(TASK, Train(1), 0, 20)
    for stage, betas in (("stage_1", (0.1, 0.01)), ("stage_2", (0.01, 0.01))):
        rng = np.random.default_rng(seed)
        group = np.repeat(rng.integers(20, size=2), 8)
        talk = recipe.converse(model, [train[each] for each in group], rng, recipe.VERIFIER)
        advantage = recipe.advantages(talk.reward, group, stage, settings.alpha)
        total = torch.zeros(())
        for row in range(16):
            tokens = torch.from_numpy(talk.rollouts.tokens[row][talk.rollouts.tokens[row] != 0])
            turn = talk.rollouts.turn[row][talk.rollouts.tokens[row] != 0]
            lower = torch.ones(len(tokens), len(tokens), dtype=torch.bool).tril()[None]
            one, other = (
                net(tokens[None], lower, torch.arange(len(tokens))[None])[0][0].log_softmax(-1) for net in (model, base)
            )
            for place in np.flatnonzero(turn >= 0):
                now, then = one[place - 1, tokens[place]], other[place - 1, tokens[place]].detach()
                ratio = then - now
                total = total - advantage[row, turn[place]] * now
                total = total + betas[turn[place]] * (ratio.exp() - 1 - ratio)
        gradient = torch.cat([g.flatten() for g in torch.autograd.grad(total / 16, list(model.parameters()))])
        expected = -gradient / max(1.0, float(gradient.norm()))
        assert torch.allclose(logit_gradient(model, base, settings, stage), expected, atol=1e-4)


def test_rewards_dealt_out_at_random_are_the_same_rewards(base, monkeypatch):
    seen = []
    real = recipe.advantages
    monkeypatch.setattr(recipe, "advantages", lambda reward, *rest: seen.append(reward) or real(reward, *rest))
    answer = np.random.default_rng(7).integers(2, size=(64, 2)).astype(float)
    talk = recipe.converse(base, problems(TASK, Train(1), 0, 64), np.random.default_rng(0), recipe.VERIFIER)
    monkeypatch.setattr(recipe, "converse", lambda *rest, **named: talk._replace(reward=answer))
    for pay in ("own", "shuffled"):
        logit_gradient(base, base, Settings(batch=64, pay=pay), "stage_2")
    assert (seen[0] == answer).all() and not (seen[1] == answer).all()
    assert sorted(map(tuple, seen[1])) == sorted(map(tuple, answer))


def test_a_dialogue_word_by_word(base):
    written = recipe.dialogues([UP, SWAP], ["up 4 0 yes", "up 4 5 no"], ["down 2 9 no", "swap 4 3 yes"])
    assert WORDS.text(written.tokens[1][:6]) == SWAP.prompt
    assert texts(WORDS, written, 0) == ["up 4 0 yes", "up 4 5 no"]
    assert texts(WORDS, written, 1) == ["down 2 9 no", "swap 4 3 yes"]
    assert recipe.written(written) == 2 * 2 * recipe.LONGEST  # four words and the end, twice
    heard = written.tokens[written.turn == GIVEN].reshape(2, -1)
    assert [WORDS.text(row) for row in heard] == [f"{UP.prompt} again", f"{SWAP.prompt} again"]
    talk = recipe.converse(base, [UP, SWAP], np.random.default_rng(1), recipe.VERIFIER)
    assert talk.reward.shape == (2, 2) and talk.rollouts.turn.max() == 1
    assert [texts(WORDS, talk.rollouts, turn) for turn in (0, 1)] == talk.reply


def test_nobody_imitates_a_wrong_attempt(base, monkeypatch):
    """Traces are kept where the second attempt is right; pairs end in a right attempt to the same problem."""
    kept = []
    monkeypatch.setattr(recipe, "imitate", lambda model, optimiser, examples, *rest: kept.append(examples))
    train = problems(TASK, Train(1), 0, 40)
    of = {problem.prompt: problem for problem in train}

    def answered(model, asked, rng, verifier, temperature=1.0, attempts=2):
        said = [[recipe.drawn(problem, rng) for problem in asked] for _ in range(2)]
        rollouts = recipe.dialogues(asked, *said)
        reward = [[verifier.score(p, text) for p, text in zip(asked, one, strict=True)] for one in said]
        return Talk(rollouts, said[:attempts], np.array(reward[:attempts]).T)

    monkeypatch.setattr(recipe, "converse", answered)
    for learn in (recipe.imitate_traces, recipe.imitate_pairs):
        spent = learn(base, None, train, np.random.default_rng(3), 8000)
        assert abs(spent - 8000) <= 16 * recipe.LONGEST
        examples = kept.pop()
        assert len(examples.tokens) > 50
        seen = set()
        for row, second in zip(range(len(examples.tokens)), texts(WORDS, examples, 1), strict=True):
            problem = of[WORDS.text(examples.tokens[row, :6])]
            first = WORDS.text(examples.tokens[row, 6 : 6 + recipe.LONGEST])
            assert recipe.VERIFIER.score(problem, second) == 1.0
            right = recipe.VERIFIER.score(problem, first) == 1.0
            assert right == (examples.turn[row] == 0).any()  # a wrong first attempt is only read
            seen.add(right)
        assert seen == {True, False}


def test_where_nothing_is_right_nothing_is_learned(base):
    model = copy.deepcopy(base)
    impossible = [Problem(f"{a} {a} to {a} {a} ?", ((a, a), (12, 12)), 0) for a in range(11)]
    optimiser = torch.optim.SGD(model.parameters(), 1.0)
    for learn in (recipe.imitate_traces, recipe.imitate_pairs):
        assert learn(model, optimiser, impossible, np.random.default_rng(0), 400) > 0
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), base.parameters(), strict=True))


def test_marks_by_hand():
    replies = [["up 4 0 yes", "down 2 9 no", "down 2 9 no", "swap 10 3 yes"], ["down 2 9 no", "up 4 0 yes"] * 2]
    reward = np.array([[recipe.VERIFIER.score(UP, text) for text in said] for said in replies]).T
    found = recipe.marks(Talk(None, replies, reward))
    expected = {
        "t1": [1, 0, 0, 0],
        "t2": [0, 1, 0, 1],
        "delta": [-1, 1, 0, 1],
        "wrong_to_right": [0, 1, 0, 1],
        "right_to_wrong": [1, 0, 0, 0],
        "unchanged": [0, 0, 1, 0],
        "stuck": [0, 0, 1, 0],
        "edit": [1, 1, 0, 0.75],
        "verdict": [1, 1, 1, 0],
    }
    assert {name: column.tolist() for name, column in found.items()} == expected


def test_edit_distance_is_the_shortest_path():
    assert recipe.edits(["a", "b", "c", "d"], ["b", "c", "d"]) == 1 / 4
    assert recipe.edits([], []) == 0.0 and recipe.edits([], ["a"]) == 1.0

    def slow(one, other):
        if not one or not other:
            return len(one) + len(other)
        swap = slow(one[1:], other[1:]) + (one[0] != other[0])
        return min(swap, slow(one[1:], other) + 1, slow(one, other[1:]) + 1)

    for one, other in product(["", "a", "ab", "ba", "aab", "abab"], repeat=2):
        assert recipe.edits(list(one), list(other)) * max(len(one), len(other), 1) == slow(one, other)


def test_what_checking_alone_is_worth(base):
    """Keep what is right, else draw among the other three: by simulation of whole dialogues."""
    asked = problems(TASK, Test(1), 0, 40)
    rng = np.random.default_rng(0)
    numbers = recipe.measure(base, asked, 2, rng)
    gained = []
    for problem in asked * 300:
        first = rng.integers(4)
        names = list(recipe.OPERATIONS)
        right = [recipe.VERIFIER.score(problem, recipe.attempt(problem, name)) for name in names]
        second = first if right[first] else (first + rng.integers(1, 4)) % 4
        gained.append(right[second] - right[first])
    assert abs(np.mean(gained) - numbers["by_checking"].number) < 4 * np.std(gained) / np.sqrt(len(gained))
    for name in ("", "_greedy"):
        delta, t1, t2 = (numbers[metric + name].number for metric in ("delta", "t1", "t2"))
        assert delta == pytest.approx(t2 - t1)
        gain = numbers["wrong_to_right" + name].number - numbers["right_to_wrong" + name].number
        assert delta == pytest.approx(gain)


def test_the_base_of_a_seed_is_one_model_that_nobody_changes():
    again = recipe.warmed.__wrapped__(5, 16, 1, 3)
    assert all(
        torch.equal(a, b) for a, b in zip(again.parameters(), recipe.warmed(5, 16, 1, 3).parameters(), strict=True)
    )
    other = recipe.warmed(6, 16, 1, 3)
    assert not torch.equal(other.tokens.weight, again.tokens.weight)


def test_reinforcement_teaches_a_second_attempt_that_follows_the_first():
    """A model that starts with nothing to calculate: stage I on one problem raises r2 and leaves the first attempt."""
    rng = np.random.default_rng(0)
    model = Transformer(Size(1, 16, 2, 24, WORDS.size), rng)
    optimiser = torch.optim.AdamW(model.parameters(), 0.01)
    drawn = [recipe.drawn(UP, rng) for _ in range(64)]
    recipe.imitate(model, optimiser, recipe.dialogues([UP] * 64, drawn, drawn[::-1]), rng, 60, 64)
    base = copy.deepcopy(model)
    for _ in range(25):
        recipe.reinforce(model, base, optimiser, [UP], "stage_1", Settings(batch=64, beta_2=1.0), rng)
    before, after = (
        recipe.converse(one, [UP] * 400, np.random.default_rng(1), recipe.VERIFIER).reward.mean(axis=0)
        for one in (base, model)
    )
    assert after[1] > before[1] + 0.3
    assert abs(after[0] - before[0]) < 0.15 < after[1] - after[0]


def test_the_arms_differ_in_what_their_names_say():
    plain = ARMS["score"]
    assert ARMS["no_bonus"] == replace(plain, alpha=0.0)
    assert ARMS["no_stage_1"] == replace(plain, phases=("stage_2", "stage_2"))
    assert ARMS["naive"] == replace(ARMS["no_stage_1"], alpha=0.0)
    assert ARMS["shuffled"] == replace(plain, pay="shuffled") and ARMS["base"] == replace(plain, phases=())
    assert len({settings.budget for settings in ARMS.values()}) == 1
