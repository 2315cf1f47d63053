"""The parts of SimpleRL-Zoo: texts, rewards and tags against definitions, its step of GRPO against a slow twin."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from ludus import tasks
from ludus.learn.self_training import Answers, answers
from ludus.models.transformer import Size, Transformer, log_probabilities
from ludus.recipes.reasoners import b_star
from ludus.recipes.reasoners import simplerl_zoo as zoo
from ludus.recipes.reasoners.simplerl_zoo import ARMS, TASK, WORDS, ZOO, Settings
from ludus.study import Log
from ludus.tasks import Problem, Train

EIGHT = Problem("3 +5 -2 ?", (3, (("+", 5), ("-", 2)), 6), 0)


@pytest.fixture
def model():
    return Transformer(Size(1, 8, 2, 48, WORDS.size), np.random.default_rng(0))


def evaluated(problem):
    """The answer by Python's own arithmetic, from the words of the prompt."""
    start, *operations, _ = problem.prompt.split()
    value = int(start)
    for operation in operations:
        value = eval(f"({value}){operation}")
    return value


@pytest.mark.parametrize("level", [zoo.EASY, zoo.MATCHED, zoo.HARD])
def test_problems_say_what_they_ask(level):
    for problem in tasks.problems(TASK, Train(1), level, 20):
        assert len(problem.prompt.split()) == level + 4
        assert TASK.check(problem, str(evaluated(problem))) == 1.0


def test_texts_are_right_and_have_the_shares_that_settings_name():
    rng = np.random.default_rng(0)
    problems = tasks.problems(TASK, Train(0), zoo.MATCHED, 100) * 20
    texts = [zoo.text(problem, 0.3, 0.2, 0.6, rng) for problem in problems]
    for problem, text in zip(problems, texts, strict=True):
        WORDS.tokens(text)
        assert tasks.exact(TASK).score(problem, text) == 1.0, text
        assert len(text.split()) < 32
    shown = [zoo.tags(text) for text in texts]
    for name, share in (("verification", 0.2), ("backtracking", 0.1), ("subgoals", 0.5)):
        assert np.mean([one[name] for one in shown]) == pytest.approx(share, abs=0.03)
    formed = np.array([zoo.in_form(text) for text in texts])
    worked = np.array([one["subgoals"] for one in shown])
    assert formed.mean() == pytest.approx(0.6, abs=0.03)
    assert abs(formed[worked].mean() - formed[~worked].mean()) < 0.07  # form tells nothing of the work


def test_a_check_that_finds_a_slip_breaks_off_and_begins_again():
    rng = np.random.default_rng(1)
    texts = {zoo.text(EIGHT, 0.0, 1.0, 0.0, rng) for _ in range(300)}
    assert "+5 8 -2 6 check +5 8 -2 6" in texts and "+5 7 check +5 8 -2 6" in texts
    assert "+5 8 -2 5 check +5 8 -2 6" in texts and "+5 8 check +5 8 -2 6" not in texts


@pytest.mark.parametrize(
    ("reply", "paid", "rigid", "placebo"),
    [
        ("+5 8 -2 6 so 6", 1, 1, 1),
        ("6", 1, -1, 1),
        ("+5 8 -2 6", 1, -1, 1),
        ("so 5", 0, 0, 0),
        ("6 so", 1, -1, 1),
        ("so 6 5", 0, -1, 0),
        ("so so check", 0, -1, -1),
        ("", 0, -1, -1),
        ("so \u0666", 0, -1, -1),
    ],
)
def test_rewards(reply, paid, rigid, placebo):
    assert [zoo.paid(TASK, EIGHT, reply, demand) for demand in ("", "so", "number")] == [paid, rigid, placebo]


@pytest.mark.parametrize(
    ("reply", "verification", "backtracking", "subgoals"),
    [
        ("so 6", False, False, False),
        ("+5 8 -2 6 so 6", False, False, True),
        ("+5 8 -2 6 check +5 8 -2 6", True, False, True),
        ("+5 7 check +5 8 -2 6", True, True, True),
        ("+5 8 check so 6", True, False, True),
        ("check check 4", True, False, False),
        ("+5 +5", False, False, False),
        ("+5 8 check +5 8 check +5 9", True, True, True),
    ],
)
def test_tags(reply, verification, backtracking, subgoals):
    assert zoo.tags(reply) == {"verification": verification, "backtracking": backtracking, "subgoals": subgoals}


def test_the_step_is_that_of_its_slow_twin(model):
    """At the first step the ratio is 1: plain gradients, reply by reply, with advantages of groups by definition."""
    problems = [EIGHT, *tasks.problems(TASK, Train(0), 0, 2)]
    settings = Settings(group=6, minibatches=1, divergence=0.0, entropy=0.0, demand="number", longest=5)
    twin, base = deepcopy(model), deepcopy(model)
    found = zoo.grpo(
        model, torch.optim.SGD(model.parameters(), 0.1), base, problems, settings, np.random.default_rng(3)
    )

    again = answers(twin, WORDS, problems, np.random.default_rng(3), 6, 5)
    assert again.reply == found.reply
    total, words = torch.zeros(()), 0
    for number, problem in enumerate(problems):
        replies = again.reply[6 * number : 6 * number + 6]
        rewards = [zoo.paid(TASK, problem, reply, "number") for reply in replies]
        for row, reward in enumerate(rewards, start=6 * number):
            written = torch.from_numpy(again.rollouts.turn[row] == 0)
            tokens = torch.from_numpy(again.rollouts.tokens[row])[None]
            spread = np.std(rewards)
            advantage = (reward - np.mean(rewards)) / spread if spread else 0.0
            total = total + advantage * log_probabilities(twin, tokens, tokens != 0)[0][written].sum()
            words += int(written.sum())
    (-total / words).backward()
    norm = torch.sqrt(sum((weight.grad**2).sum() for weight in twin.parameters()))
    assert norm > 0.01
    for weight, other in zip(model.parameters(), twin.parameters(), strict=True):
        step = 0.1 * other.grad / max(1.0, float(norm))
        torch.testing.assert_close(weight, other - step, rtol=1e-3, atol=1e-5)
    for weight, other in zip(base.parameters(), twin.parameters(), strict=True):
        assert torch.equal(weight, other)


def test_the_divergence_holds_the_policy_at_its_base(model):
    problems = tasks.problems(TASK, Train(0), 0, 2)
    away, base = deepcopy(model), model
    with torch.no_grad():
        for weight in away.parameters():
            weight += 0.1 * torch.from_numpy(np.random.default_rng(5).normal(size=tuple(weight.shape)))
    settings = Settings(group=16, minibatches=1, divergence=100.0, entropy=0.0, longest=4, level=0)

    def distance(policy):
        found = answers(policy, WORDS, problems, np.random.default_rng(9), 64, 4)
        with torch.no_grad():
            return float((zoo.score(policy, found.rollouts).log_prob - zoo.score(base, found.rollouts).log_prob).sum())

    far, optimiser, rng = distance(away), torch.optim.AdamW(away.parameters(), 0.003), np.random.default_rng(4)
    for _ in range(30):
        zoo.grpo(away, optimiser, base, problems, settings, rng)
    assert far > 0 and distance(away) < far / 2


def test_rewards_change_hands_within_their_group_only(model, monkeypatch):
    seen = []
    relative = zoo.group_relative
    monkeypatch.setattr(zoo, "group_relative", lambda reward, group: seen.append(reward) or relative(reward, group))
    monkeypatch.setattr(zoo, "paid", lambda _, problem, reply, demand: float(problem.level) + len(reply) / 100)
    problems = [EIGHT._replace(level=level) for level in range(3)]
    settings = Settings(group=8, longest=5, shuffled=True)
    found = zoo.grpo(
        model, torch.optim.SGD(model.parameters(), 0.0), model, problems, settings, np.random.default_rng(0)
    )
    honest = np.repeat([0.0, 1.0, 2.0], 8) + np.array([len(reply) for reply in found.reply]) / 100
    assert not np.array_equal(seen[0], honest)
    assert np.array_equal(np.sort(seen[0].reshape(3, 8)), np.sort(honest.reshape(3, 8)))


def test_arms_differ_from_their_models_in_what_their_names_say():
    for arm, model, change in (
        ("raw_format", "raw", {"demand": "so"}),
        ("raw_placebo", "raw", {"demand": "number"}),
        ("small_format", "small", {"demand": "so"}),
        ("easy", "middle", {"level": 0}),
        ("hard", "middle", {"level": 4}),
        ("shuffled", "middle", {"shuffled": True}),
        ("hard_shuffled", "middle", {"level": 4, "shuffled": True}),
    ):
        assert ARMS[arm] == replace(ZOO[model], **change)
    assert replace(ZOO["raw"], form=0.5) == ZOO["small"]


def test_a_base_learns_its_texts_and_training_leaves_it_alone(tmp_path):
    few = (7, 16, 1, 0.5, 0.0, 1.0, 170, 60)
    base = zoo.pretrained(*few)
    assert zoo.pretrained(*few) is base
    problems = tasks.problems(TASK, Train(3), 0, 8)
    assert (
        np.mean([zoo.in_form(reply) for reply in answers(base, WORDS, problems, np.random.default_rng(0), 8, 12).reply])
        > 0.5
    )

    rng, settings = np.random.default_rng(2), Settings(warm=1, texts=34, budget=60, problems=2, group=4, longest=6)
    first = zoo.run(settings, deepcopy(rng), Log(tmp_path / "one", quick=True))
    second = zoo.run(settings, deepcopy(rng), Log(tmp_path / "two", quick=True))
    assert first == second and first["rounds"].number > 1


def test_final_numbers():
    before = {"accuracy": 0.2, "length": 10.0, "verification": 0.1}
    after = {"accuracy": 0.5, "length": 12.0, "verification": 0.12}
    numbers = {name: value.number for name, value in zoo.ends(before, after, 3).items()}
    assert numbers["gain"] == pytest.approx(0.3) and numbers["base"] == 0.2
    assert numbers["longer"] == pytest.approx(0.2) and numbers["apart"] == pytest.approx(0.03)
    assert zoo.ends(before, {**after, "length": 9.0}, 3)["apart"].number == pytest.approx(-0.2)


def test_means_over_replies():
    found = answers(
        Transformer(Size(1, 8, 2, 48, WORDS.size), np.random.default_rng(1)),
        WORDS,
        [EIGHT],
        np.random.default_rng(1),
        4,
        3,
    )
    found = Answers(found.rollouts, found.problem, ["so 6", "6", "+5 8 check", "so 5"])
    seen = zoo.behaviour(TASK, [EIGHT], found)
    assert seen["accuracy"] == 0.5 and seen["in_form"] == 0.5
    assert seen["verification"] == 0.25 and seen["subgoals"] == 0.25 and seen["backtracking"] == 0.0
    assert seen["length"] == pytest.approx(np.mean((found.rollouts.turn == 0).sum(axis=1)))
    assert seen["cut"] == pytest.approx(np.mean([1 not in row for row in found.rollouts.tokens]))


@pytest.mark.parametrize("wrong", [{"task": "modulor"}, {"demand": "please"}, {"scratchpad": 0.7, "checks": 0.4}])
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)


def test_on_another_task_the_base_is_that_of_all_recipes(tmp_path, monkeypatch):
    """As in B-STaR: one base, one set of problems, one stream of random numbers, and so one first row."""
    settings = {"task": "countdown", "level": 0, "layers": 1, "width": 16, "warm": 20, "longest": 12, "budget": 1}
    starts, first = [], []
    for recipe in (zoo, b_star):
        begin = recipe.start
        monkeypatch.setattr(recipe, "start", lambda *given, begin=begin: starts.append(begin(*given)) or starts[-1])
        rows = []
        log = Log(tmp_path / recipe.__name__, quick=True)
        log.row = lambda step, rows=rows, **metrics: rows.append(metrics)
        arm = next(iter(recipe.ARMS.values()))
        recipe.run(replace(arm, **recipe.RECIPE.quick | settings), np.random.default_rng(5), log)
        first.append(
            {name: getattr(rows[0][name], "number", rows[0][name]) for name in ("score", "pass_32", "distinct")}
        )
        assert rows[-1]["tokens"] > 0
    one, other = starts
    assert (one.seed, one.problems) == (other.seed, other.problems) and first[0] == first[1]
    weights = other.model.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in one.model.state_dict().items())
