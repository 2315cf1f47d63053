"""RISE: scores by the table, verdicts that must match them, a PPO update by closed forms, arms that are off."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch

from ludus.learn.advantages import last_token
from ludus.learn.objective import score, score_and_value
from ludus.learn.rollout import texts
from ludus.learn.self_training import answers
from ludus.measure.verification import balanced_accuracy
from ludus.models.words import Words
from ludus.recipes.reasoners import rise_verify
from ludus.recipes.reasoners.rise_verify import ARMS, RECIPE, Settings
from ludus.tasks import Problem, load

SMALL = {name: value for name, value in RECIPE.quick.items() if name != "budget"}
CHAIN = Problem("mod 7 : 3 + 5 * 2 ?", (7, 3, (("+", 5), ("*", 2)), 2), 0)  # 3 + 5 is 1, times 2 is 2


@lru_cache(maxsize=1)
def small_base():
    return rise_verify.base_of(0, Settings(**SMALL))


def a_batch(arm="rise", seed=1, **changes):
    settings = replace(ARMS[arm], **SMALL | changes)
    base = small_base()
    return rise_verify.solve_and_mark(base.model, base, settings, np.random.default_rng(seed)), settings


# Scores


@pytest.mark.parametrize(
    ("reply", "given"),
    [("1 2 so 2", 1.0), ("so 2", 1.0), ("1 3 so 3", -0.5), ("1 2 so", -1.0), ("1 2", -1.0), ("so 2 2", -1.0), ("", -1)],
)
def test_a_solution_is_scored_by_the_table_of_the_paper(reply, given):
    assert rise_verify.solution_scores(load("modular"), [CHAIN], [reply]) == [given]


@pytest.mark.parametrize(
    ("verdict", "truth", "given"),
    [
        ("1 2 right", 1.0, 1.0),
        ("wrong", -0.5, 1.0),
        ("4 unread", -1.0, 1.0),
        ("1 2 wrong", 1.0, -0.5),
        ("unread", -0.5, -0.5),  # both say that it is not right, but the score is another
        ("1 2 2", 1.0, -1.0),
        ("right wrong", 1.0, -1.0),
        ("right 2", 1.0, -1.0),
        ("", -1.0, -1.0),
    ],
)
def test_a_verdict_is_paid_for_naming_the_score(verdict, truth, given):
    assert rise_verify.verdict_scores([verdict], np.array([truth])) == [given]


def test_a_verdict_is_asked_after_the_problem_and_the_reply():
    assert rise_verify.verdict_prompt(CHAIN, "1 2 so 2") == "mod 7 : 3 + 5 * 2 ? 1 2 so 2 rate"
    assert rise_verify.verdict_prompt(CHAIN, "") == "mod 7 : 3 + 5 * 2 ? rate"


def test_marked_solutions_are_dealt_evenly_and_at_random():
    problem = np.repeat(np.arange(5), 4)
    rng = np.random.default_rng(0)
    drawn = np.zeros(20)
    for _ in range(300):
        rows = rise_verify.evenly(problem, 7, rng)
        counts = np.bincount(problem[rows], minlength=5)
        assert len(set(rows)) == 7 and sorted(counts) == [1, 1, 1, 2, 2]
        drawn[rows] += 1
    assert drawn.min() > 60 and drawn.max() < 150  # 105 expected; order of the rows plays no part


# A batch


def test_a_batch_holds_solutions_and_verdicts_in_their_shares():
    for arm, marked in (("rise", 4), ("rise_half", 8), ("solve_only", 0), ("offline", 4)):
        (rollouts, reward), settings = a_batch(arm)
        heard = Words((*load("modular").words, "rate", "right", "wrong", "unread"))
        asked = [heard.text(row[turn < 0]).endswith("rate") for row, turn in zip(*rollouts[:2], strict=True)]
        assert asked == [False] * (settings.batch - marked) + [True] * marked
        assert len(reward) == settings.batch and set(reward) <= {1.0, -0.5, -1.0}


def test_online_verdicts_are_on_solutions_of_the_batch_and_offline_ones_need_not_be():
    base = small_base()
    for arm, own in (("rise", True), ("offline", False)):
        (rollouts, _), settings = a_batch(arm)
        marked = round(settings.share * settings.batch)
        solved = {base.words.text(row) for row in rollouts.tokens[:-marked]}
        given = [base.words.text(row[turn < 0]) for row, turn in zip(*rollouts[:2], strict=True)][-marked:]
        assert all(text.removesuffix(" rate") in solved for text in given) == own


def test_shuffling_deals_the_scores_out_and_leaves_their_number():
    """With the truth known, the scores that verdicts are held against are a permutation of it and not the truth."""
    seen = []

    def held(replies, truth):
        seen.append(truth)
        return np.zeros(len(truth))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rise_verify, "verdict_scores", held)
        # an untrained model's solutions are nearly all wrong: every second one is declared right
        half = np.tile([1.0, -0.5], 32)
        patched.setattr(rise_verify, "solution_scores", lambda task, asked, replies: half[: len(replies)])
        for arm in ("rise", "shuffled"):
            a_batch(arm, batch=128, share=0.5)
    assert sorted(seen[0]) == sorted(seen[1]) and not np.array_equal(*seen)


# The update


class Remember:
    """In the place of an optimiser: what the gradient was."""

    def __init__(self, model):
        self.model = model

    def zero_grad(self):
        self.model.zero_grad()

    def step(self):
        self.gradient = self.model.blocks[0].mlp_in.weight.grad.clone()


def test_the_first_step_follows_reward_less_value_weighed_by_token():
    """Before anything moved the ratio is 1, the policy is the frozen one and the head says 0: the gradient is that of
    log-probability times the reply's whitened reward, and of the entropy term."""
    base = small_base()
    (rollouts, _), settings = a_batch(minibatches=1)
    reward = np.random.default_rng(4).choice([1.0, -0.5, -1.0], len(rollouts.tokens))
    learner = rise_verify.new_learner(base.model, settings)
    learner = learner._replace(optimiser=Remember(learner.model))
    learner.head.weight.requires_grad_(False)
    rise_verify.improve(learner, base.model, rollouts, reward, replace(settings, critic=0.0), np.random.default_rng(0))
    written = rollouts.turn >= 0
    whole = np.where(written, reward[:, None], 0.0)
    white = (whole - whole[written].mean()) / whole[written].std()
    model = rise_verify.new_learner(base.model, settings).model
    now = score(model, rollouts)
    mask = torch.from_numpy(written)
    loss = -(torch.from_numpy(white).float() * now.log_prob)[mask].mean() - 0.001 * now.entropy[mask].mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    torch.testing.assert_close(learner.optimiser.gradient, model.blocks[0].mlp_in.weight.grad, rtol=1e-3, atol=1e-6)


def test_value_loss_by_cases():
    """Far from the target on the clipped side the clipped error counts, so that there is no gradient."""
    guess = torch.tensor([[0.3, 2.0, 2.0]], requires_grad=True)
    loss = rise_verify.value_loss(guess, np.zeros((1, 3)), np.array([[1.0, 3.0, -1.0]]))
    np.testing.assert_allclose(loss.detach(), [[0.7**2 / 2, 2.5**2 / 2, 3.0**2 / 2]], rtol=1e-6)
    loss.sum().backward()
    np.testing.assert_allclose(guess.grad, [[-0.7, 0.0, 3.0]], rtol=1e-6)


def test_ppo_learns_a_reward_and_the_value_follows():
    """Paid for ending with one word, whatever the problem: it comes to be written, and the head foresees the reward."""
    base = small_base()
    settings = Settings(**SMALL | {"batch": 64, "rate": 3e-3, "critic": 1.0})
    learner, rng = rise_verify.new_learner(base.model, settings), np.random.default_rng(2)

    def play():
        solved = answers(learner.model, base.words, base.train[:16], rng, 4, base.longest)
        return solved.rollouts, np.array([1.0 if reply.split()[-1:] == ["3"] else -1.0 for reply in solved.reply])

    before = play()[1].mean()
    for _ in range(25):
        rollouts, reward = play()
        rise_verify.improve(learner, base.model, rollouts, reward, settings, rng)
    rollouts, reward = play()
    assert reward.mean() > before + 0.6
    with torch.no_grad():
        value = score_and_value(learner.model, learner.head, rollouts)[1].numpy()
    last = last_token(np.ones((64, 1)), rollouts.turn) > 0
    assert abs(value[last].mean() - reward.mean()) < 0.4


# Exams and arms


def test_an_exam_counts_what_cannot_be_read_as_the_false_verdict(monkeypatch):
    base = small_base()
    said = iter(["right", "wrong", "so", "unread"] * 4)
    monkeypatch.setattr(rise_verify, "texts", lambda words, rollouts: [next(said) for _ in range(16)])
    monkeypatch.setattr(rise_verify, "solution_scores", lambda *_: np.tile([1.0, 1.0, 1.0, -0.5], 4))
    exam = rise_verify.sit(base.model, base, base.test[:4], 4, np.random.default_rng(0))
    assert exam.accepted.tolist() == [[True, False, False, False]] * 4
    assert balanced_accuracy(exam.accepted, exam.correct, np.random.default_rng(0)).number == pytest.approx(2 / 3)


def test_lessons_work_the_chain_again_and_say_what_the_rule_says():
    base = small_base()
    shown = rise_verify.verdict_lessons(base, np.random.default_rng(3))
    prompts = [base.words.text(row[turn < 0]) for row, turn in zip(*shown[:2], strict=True)]
    kinds = {"right": 0, "wrong": 0, "unread": 0}
    for problem, prompt, verdict in zip(base.train, prompts, texts(base.words, shown), strict=True):
        reply = prompt.removeprefix(problem.prompt).removesuffix("rate").split()
        said = verdict.split()[-1]
        expected = "unread" if "so" not in reply else "right" if reply[-1] == str(problem.key[-1]) else "wrong"
        assert said == expected
        assert verdict.split()[:-1] == base.task.work(problem, None).split()[:-2]
        kinds[said] += 1
    assert min(kinds["right"], kinds["wrong"]) > 12 and 0 < kinds["unread"] < 20  # of 60


def test_the_base_arm_learns_nothing_and_all_arms_start_from_one_base(tmp_path):
    from ludus.study import Log

    numbers = {}
    for arm in ("base", "rise"):
        settings = replace(ARMS[arm], **RECIPE.quick)
        numbers[arm] = RECIPE.run(settings, np.random.default_rng(5), Log(tmp_path / arm))
    assert numbers["base"]["verification_gain"].number == 0.0
    start = numbers["rise"]["verification"].number - numbers["rise"]["verification_gain"].number
    assert start == pytest.approx(numbers["base"]["verification"].number)


@pytest.mark.parametrize("wrong", [{"author": "other"}, {"share": 0.6}, {"batch": 4}])
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)
