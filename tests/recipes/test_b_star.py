"""B-STaR: selection and balance against slow twins, what each arm does, the reward model, claims of several arms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ludus import tasks
from ludus.learn.objective import score_and_value
from ludus.learn.rollout import given, rollout, select
from ludus.learn.self_training import Answers, Start, answers, taught
from ludus.models.transformer import Size, Transformer
from ludus.models.words import END, Words
from ludus.recipes.reasoners import b_star
from ludus.recipes.reasoners.b_star import ARMS, NINE, BelowNone, Median, RewardModel, Settings
from ludus.study import Log
from ludus.study.verdict import judge
from ludus.tasks import Problem, Task

SMALL = replace(
    Settings(),
    **{"width": 16, "warm": 4, "lessons": 2, "problems": 16, "queries": 4, "probe": 3, "count": 4, "budget": 250},
    **{"steps": 2, "batch": 4, "validation": 2, "test": 2, "longest": 6},
)


def found_of(replies, count):
    """Answers with these texts, `count` to a problem."""
    rollouts = given(np.zeros((len(replies), 0), int), np.ones((len(replies), 1), int))
    return Answers(rollouts, np.repeat(np.arange(len(replies) // count), count), replies)


def start(settings=SMALL, seed=0):
    rng = np.random.default_rng(seed)
    school = b_star.begin(settings, rng)
    return b_star.enrol(school, settings, rng, None), school


# Selection and balance.


def test_the_best_different_replies_of_each_problem_are_chosen_and_no_more_than_are_wanted():
    found = found_of(["a", "b", "a", "c", "d", "d", "e", "f"], 4)
    reward = np.array([1.5, 0.9, 1.5, 0.3, 0.2, 0.2, 0.1, -0.5])
    assert b_star.choose(found, reward, 0.0, wanted=2).tolist() == [0, 4]  # one of each problem
    assert b_star.choose(found, reward, 0.0, wanted=3).tolist() == [0, 1, 4, 6]  # two of each
    assert b_star.choose(found, reward, 0.0, wanted=99).tolist() == [0, 1, 3, 4, 6]  # all that reach it, each once
    assert b_star.choose(found, reward, 0.9, wanted=99).tolist() == [0, 1]
    assert b_star.choose(found, reward, 2.0, wanted=1).tolist() == []


def test_balance_by_its_formula():
    rng = np.random.default_rng(0)
    count, settings = 6, replace(SMALL, count=6, enough=3)
    found = found_of([str(rng.integers(5)) for _ in range(30)], count)
    right = np.array([reply in "012" for reply in found.reply])
    chosen = np.flatnonzero(rng.random(30) < 0.6)
    total = 0.0
    for problem in range(5):
        kept = {found.reply[row] for row in chosen if found.problem[row] == problem}
        good = {reply for reply in kept if reply in "012"}
        total += min(len(good) / 3, 1) * len(good) / len(kept) if kept else 0.0
    assert b_star.balance(found, right, chosen, settings, rng) == pytest.approx(total / 5)


def test_the_configuration_with_the_highest_balance_is_taken(monkeypatch):
    """Cool replies are right and all alike, hot ones differ and are mostly wrong; a wrong one earns 0.5 here."""
    replies = {0.6: ["1", "1", "1", "1"], 1.0: ["1", "2", "3", "x"], 1.4: ["1", "x", "y", "z"]}

    def sample(pupil, school, problems, temperature, settings):
        found = found_of(replies[temperature] * len(problems), 4)
        right = np.array([reply.isdigit() for reply in found.reply])
        return found, right, right * 1.0 + 0.5 * ~right

    monkeypatch.setattr(b_star, "sample", sample)
    pupil, school = start()
    patient = replace(SMALL, wanted=9)
    # Warm: 3 of 4 right, or with the wrong one filtered out 3 of 3, and 4 would be enough: 3/4 against 9/16.
    assert b_star.configure(pupil, school, replace(patient, thresholds=(0.0, 0.8))) == (1.0, 0.8)
    assert b_star.configure(pupil, school, replace(patient, temperatures=(0.6, 1.4), thresholds=(0.0,))) == (0.6, 0.0)
    assert b_star.configure(pupil, school, replace(patient, temperatures=(1.4,), thresholds=(0.0, 0.8))) == (1.4, 0.8)


# What the arms do.


def test_fixed_configurations_cover_the_grid_and_never_probe(monkeypatch):
    grid = [(t, r) for t in b_star.TEMPERATURES for r in b_star.THRESHOLDS]
    assert [(*ARMS[arm].temperatures, *ARMS[arm].thresholds) for arm in NINE] == grid
    pupil, school = start()
    monkeypatch.setattr(b_star, "sample", lambda *_: pytest.fail("a fixed configuration needs no samples"))
    assert b_star.configure(pupil, school, replace(ARMS["cool_strict"], probe=3)) == (0.6, 0.8)
    drawn = {b_star.configure(pupil, school, ARMS["random"]) for _ in range(200)}
    assert drawn == set(grid)


def test_rewards_are_one_for_a_right_answer_plus_the_process_reward_and_shuffling_deals_both_out(monkeypatch):
    pupil, school = start()
    school = school._replace(reward=Planted())
    monkeypatch.setattr(b_star, "marked", lambda mark, problems, found: np.arange(len(found.reply)) % 3 == 0)
    problems = school.start.problems[:5]
    _, right, reward = b_star.sample(pupil, school, problems, 1.0, SMALL)
    assert right.tolist() == [row % 3 == 0 for row in range(20)]
    assert reward == pytest.approx(right + np.linspace(-1, 1, 20))
    _, dealt, rewards = b_star.sample(pupil, school, problems, 1.0, replace(SMALL, shuffled=True))
    assert sorted(zip(dealt, rewards, strict=True)) == sorted(zip(right, reward, strict=True))
    assert (rewards != reward).sum() > 10


class Planted:
    def scores(self, rollouts):
        return np.linspace(-1, 1, len(rollouts.tokens))


def test_restarting_trains_the_base_for_as_many_steps_as_all_rounds(monkeypatch):
    lessons = []

    def imitate(model, optimiser, examples, rng, steps, batch):
        lessons.append((model.tokens.weight.detach().clone(), steps, len(optimiser.state)))
        with torch.no_grad():
            model.tokens.weight += 1
        return 0.0

    monkeypatch.setattr(b_star, "imitate", imitate)
    monkeypatch.setattr(b_star, "choose", lambda found, *_: np.arange(2))
    for restart in (True, False):
        lessons.clear()
        settings = replace(SMALL, temperatures=(1.0,), thresholds=(0.0,), restart=restart)
        pupil, school = start(settings)
        for _ in range(3):
            b_star.improve(pupil, school, settings)
        ahead = [float((weight - school.start.model.tokens.weight.detach()).mean()) for weight, *_ in lessons]
        assert ahead == pytest.approx([0, 0, 0] if restart else [0, 1, 2], abs=1e-5)
        assert [steps for _, steps, _ in lessons] == ([2, 4, 6] if restart else [2, 2, 2])


def test_the_expert_arm_imitates_worked_replies_only(monkeypatch):
    settings = replace(SMALL, temperatures=(1.0,), thresholds=(0.0,), expert=True)
    pupil, school = start(settings)
    seen = []
    monkeypatch.setattr(b_star, "imitate", lambda model, optimiser, examples, *_: seen.append(examples))
    monkeypatch.setattr(b_star, "answers", lambda *_: pytest.fail("an expert's pupil does not sample in training"))
    b_star.improve(pupil, school, settings)
    texts = [school.start.words.text(row) for row in seen[0].tokens]
    prompts = [next(p for p in school.start.problems if text.startswith(p.prompt)) for text in texts]
    assert len(texts) == 4
    for text, problem in zip(texts, prompts, strict=True):
        assert (
            school.start.task.check(problem, school.start.task.answer_of(problem, text.removeprefix(problem.prompt)))
            == 1
        )


def test_all_arms_of_a_seed_begin_with_one_school_and_other_seeds_with_others():
    one, two = np.random.default_rng(1), np.random.default_rng(1)
    school = b_star.begin(SMALL, one)
    assert b_star.begin(replace(SMALL, shuffled=True, temperatures=(1.0,)), two) is school
    assert one.random() == two.random() != np.random.default_rng(1).random()
    other = b_star.begin(SMALL, np.random.default_rng(2))
    assert other.start.problems != school.start.problems
    before = school.start.model.tokens.weight.detach().clone()
    pupil = b_star.enrol(school, SMALL, one, None)
    with torch.no_grad():
        pupil.model.tokens.weight += 1
    assert torch.equal(school.start.model.tokens.weight, before)


def test_a_cell_spends_its_budget_and_its_slopes_are_those_of_its_rows(tmp_path):
    rows = []
    log = Log(tmp_path)
    log.row = lambda step, **metrics: rows.append((step, metrics))
    numbers = b_star.run(SMALL, np.random.default_rng(3), log)
    steps = np.array([step for step, _ in rows], float)
    spent = [metrics["tokens"] for _, metrics in rows]
    assert spent == sorted(spent) and spent[-2] < 250 <= spent[-1] == numbers["tokens"].number
    assert numbers["probed"].number > 0 and numbers["round"].number == len(rows) - 1 >= 2
    for metric in ("pass_1", "pass_32", "distinct", "auc"):
        seen = np.array([getattr(m[metric], "number", m[metric]) for _, m in rows])
        slope = ((steps - steps.mean()) * seen).sum() / ((steps - steps.mean()) ** 2).sum()
        assert numbers[f"{metric}_slope"].number == pytest.approx(slope, abs=1e-12)


# The reward model.


def test_area_under_the_curve_is_the_part_of_pairs_in_order():
    rng = np.random.default_rng(0)
    value, right = rng.integers(0, 6, 40).astype(float), rng.random(40) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in value[right] for b in value[~right]]
    assert b_star.area_under_curve(value, right) == pytest.approx(np.mean(pairs))
    assert b_star.area_under_curve(value, np.ones(40, bool)) == 0.5


def test_a_reply_scores_what_its_worst_step_does():
    words = Words(("make", "1", "2", "+", "=", ";", "so"))
    rng = np.random.default_rng(0)
    model, head = Transformer(Size(1, 16, 2, 24, words.size), rng), nn.Linear(16, 1)
    with torch.no_grad():
        head.weight[:] = torch.from_numpy(rng.normal(0, 3, (1, 16)))
        head.bias[:] = 0.1
    reward = RewardModel(model, head, (*words.tokens("; so"), END))
    prompts = words.rows(["make 2", "make 1 so", "make 2"])
    replies = words.rows(["1 + 1 = 2 ; 2 so 2", "2", "1 + 1 1 1 1 1 1 1"], ended=True)
    replies[2, -1] = 2  # the third never ends
    rollouts = given(prompts, replies)
    scores = reward.scores(rollouts)
    value = score_and_value(model, head, rollouts)[1].detach().double().numpy()
    expected = []
    for tokens, turn, values in zip(rollouts.tokens, rollouts.turn, value, strict=True):
        steps = [
            2 / (1 + np.exp(-v)) - 1
            for token, t, v in zip(tokens, turn, values, strict=True)
            if t >= 0 and words.text([token]) in (";", "so", "") and token != 0
        ]
        expected.append(min(steps, default=-1.0))
    assert scores == pytest.approx(expected, abs=1e-6)
    assert scores[2] == -1 and len(set(scores)) == 3


AGREE = Task(
    name="agree",
    source="made for this test",
    rules="Always say yes.",
    words=("0", "1", ";", "so", "yes", "no"),
    levels=1,
    draw=lambda rng, level: Problem(" ".join(map(str, rng.integers(0, 2, 2))), (), level),
    work=lambda problem, rng: f"so {['no', 'yes'][int(rng.integers(2))]}",  # by a teacher who guesses
    check=lambda problem, answer: float(answer == "yes"),
    answer_of=lambda problem, reply: reply.split()[-1] if reply.split() else None,
)


def test_the_reward_model_learns_what_the_base_does_not_know_and_noise_is_false_lessons():
    words = Words(AGREE.words)
    problems = [Problem(f"{one} {two}", (), 0) for one in range(2) for two in range(2)] * 8
    base = taught(AGREE, words, problems, Size(1, 16, 2, 8, words.size), np.random.default_rng(0), steps=40, batch=32)
    found = answers(base, words, problems, np.random.default_rng(2), 8, 4)
    right = b_star.marked(tasks.exact(AGREE).score, problems, found)
    assert right.tolist() == [reply.split()[-1:] == ["yes"] for reply in found.reply] and 0.2 < right.mean() < 0.8
    begun, areas = Start(0, AGREE, words, problems, base), []
    for noise in (0.0, 1.0):
        settings = Settings(lessons=60, longest=4, noise=noise)
        reward = b_star.learn_reward(begun, np.random.default_rng(1), settings)
        areas.append(b_star.area_under_curve(reward.scores(found.rollouts), right))
    assert areas[0] > 0.9 and areas[1] < 0.1  # with every lesson false it learns the opposite


def test_the_reward_model_starts_undecided_and_leaves_the_base_alone():
    _, school = start()
    before = {name: weight.clone() for name, weight in school.start.model.state_dict().items()}
    rng = np.random.default_rng(0)
    settings = replace(SMALL, lessons=0)
    reward = b_star.learn_reward(school.start, rng, settings)
    prompts = school.start.words.rows(["make 2 from 1 1 1 ?"] * 4)
    rollouts = rollout(school.start.model, prompts, rng.random((4, 20)), school.start.words.stop)
    ended = select(rollouts, reward.ends(rollouts).any(axis=1))
    assert (reward.scores(ended) == 0).all()
    b_star.learn_reward(school.start, rng, SMALL)
    assert all(torch.equal(weight, before[name]) for name, weight in school.start.model.state_dict().items())


# Claims of several arms.


def seeds_of(**arms):
    return {arm: {"m": np.asarray(values, float)} for arm, values in arms.items()}


def test_median_and_below_none_by_hand():
    numbers = seeds_of(a=[5, 1], b=[1, 2], c=[3, 9], d=[2, 4], e=[0, 0])
    assert Median(of=("d",), than=("a", "b", "c"), metric="m").effect(numbers).tolist() == [2 - 3, 4 - 2]
    falls = Median(of=("a", "b", "c"), direction="lower", metric="m")
    assert falls.effect(numbers).tolist() == [-3, -2] and falls.reverse().effect(numbers).tolist() == [3, 2]
    assert falls.arms() == ("a", "b", "c") and falls.at("e").effect(numbers).tolist() == [0, 0]
    none = BelowNone(arm="d", than=("a", "b"), margin=0.5, metric="m")
    assert none.tests(numbers).tolist() == [[-2.5, 3.5], [1.5, 2.5]]
    assert none.effect(numbers).tolist() == [-3, 3] and none.arms() == ("d", "a", "b")
    assert none.at("e").effect(numbers).tolist() == [-5, -1]


def test_one_better_configuration_is_enough_to_refute_below_none():
    rng = np.random.default_rng(0)

    def noise():
        return rng.normal(0, 0.01, 8)

    claim = BelowNone(arm="b", than=("x", "y"), margin=0.03, metric="m")
    level = seeds_of(b=0.5 + noise(), x=0.5 + noise(), y=0.3 + noise())
    assert judge(claim, level).verdict == "holds" and judge(claim.reverse(), level).verdict != "holds"
    behind = seeds_of(b=0.5 + noise(), x=0.6 + noise(), y=0.3 + noise())
    assert judge(claim, behind).verdict == "fails" and judge(claim.reverse(), behind).verdict == "holds"


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="choice is balance or die; got coin"):
        Settings(choice="coin")
    with pytest.raises(ValueError, match="temperatures are above zero"):
        Settings(temperatures=(0.0, 1.0))
