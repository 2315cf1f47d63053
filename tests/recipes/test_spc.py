"""SPC: what spoils a derivation by brute force, games and rewards by hand, the offline loss against its formula."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from ludus.learn.objective import score
from ludus.learn.rollout import Rollouts, given, select
from ludus.models.transformer import Size, Transformer
from ludus.recipes.selfplay import spc
from ludus.recipes.selfplay.spc import ARMS, OWN, THRESHOLDS, TYPES, WORDS, Natural, Pool, Settings, Step
from ludus.tasks import Train, arithmetic, problems

TINY = Settings(
    rounds=1, games=6, problems=20, width=8, warm=2, weak=2, taught=8, lessons=2, tests=3, samples=4, epochs=1
)
CHAINS = problems(arithmetic.TASK, Train(3), 2, 30)


def tiny(seed=0, layers=1):
    return Transformer(Size(layers, 8, spc.HEADS, spc.CONTEXT, WORDS.size), np.random.default_rng(seed))


def ground(steps, held=()):
    one = tiny()
    lessons = given(WORDS.rows(["judge 4 + 3 = 8"]), WORDS.rows(["7 wrong"], ended=True))
    empty = Natural([], np.zeros(0, bool), [])
    return spc.Ground(one, copy.deepcopy(one), lessons, lessons, list(steps), list(held), one, empty, empty, [])


def rollouts_of(prompts, replies):
    return given(WORDS.rows(prompts), WORDS.rows(replies, ended=True))


# Steps, and what spoils them


def test_a_wrong_number_spoils_a_step_exactly_when_the_rest_done_rightly_upon_it_ends_in_another_answer():
    for problem in CHAINS:
        _, chain, answer = problem.key
        own = spc.steps_of(problem)
        assert [f"{step.ask} {step.right}" for step in own] == arithmetic.work(problem, None).split(" so ")[0].split(
            " ; "
        )
        for place, step in enumerate(own):
            for digit in range(10):
                value = digit
                for sign, operand in chain[place + 1 :]:
                    value = {"+": value + operand, "-": value - operand, "*": value * operand}[sign]
                assert spc.spoils(step, str(digit)) == (value != answer), (problem.prompt, place, digit)


@pytest.mark.parametrize("text", ["", "7", "10", "so", "six", "8 8", " 8", "-1", "8.0", "八"])
def test_what_is_no_other_digit_spoils_nothing(text):
    assert not spc.spoils(Step("4 + 3 =", "7"), text)


def test_errors_are_of_the_types_that_they_are_called():
    found = spc.errors(Step("4 + 3 =", "7"))
    assert found == {
        "slip": ["6", "8"],
        "leap": ["0", "1", "2", "3", "4", "5", "9"],
        "skip": ["4"],
        "copy": ["3"],
        "sign": ["1"],
    }
    assert spc.errors(Step("2 + 2 =", "4"))["sign"] == ["0"]  # twice two is four too
    assert spc.errors(Step("0 * 5 =", "0"))["skip"] == []


def test_random_corruptions_are_all_other_numbers_alike():
    rng = np.random.default_rng(0)
    drawn = [spc.corrupted(Step("4 + 3 =", "7"), rng) for _ in range(3600)]
    count = {number: drawn.count(number) for number in set(drawn)}
    assert set(count) == set("012345689")
    assert sum((seen - 400) ** 2 / 400 for seen in count.values()) < 26.1  # chi-square with 8 degrees of freedom, 0.001


@pytest.mark.parametrize(
    ("reply", "number", "verdict"),
    [("slip 8", "8", ""), ("7 wrong", "", "wrong"), ("7 right", "", "right"), ("8", "", ""), ("wrong", "", ""),
     ("slip", "", ""), ("slip 8 8", "", ""), ("7 wrong right", "", ""), ("", "", ""), ("right right", "", ""),
     ("slip so", "so", ""), ("7 slip", "", "slip")],
)  # fmt: skip
def test_replies_are_read_strictly(reply, number, verdict):
    assert spc.number_in(reply) == number
    assert spc.verdict_in(reply) == verdict


def test_everything_fits_the_context_and_the_longest_lesson_fills_it():
    judged, spoiled = spc.lessons(
        [step for problem in CHAINS for step in spc.steps_of(problem)], np.random.default_rng(0)
    )
    assert judged.tokens.shape[1] == spoiled.tokens.shape[1] == spc.CONTEXT
    for row in judged.tokens:
        role, value, sign, operand, _, claimed, own, verdict = WORDS.text(row).split()
        true = {"+": int(value) + int(operand), "-": int(value) - int(operand), "*": int(value) * int(operand)}[sign]
        assert role == "judge" and int(own) == true and verdict == ("right" if int(claimed) == true else "wrong")
    for row in spoiled.tokens:
        _, value, sign, operand, _, right, name, number = WORDS.text(row).split()
        assert number != right and number in spc.errors(Step(f"{value} {sign} {operand} =", right))[name]


# The game


def scripted(monkeypatch, spoiling, judging):
    """`reply` reads from two scripts: functions of the prompt."""

    def reply(model, prompts, longest, rng):
        return rollouts_of(prompts, [(spoiling if text.startswith("spoil") else judging)(text) for text in prompts])

    monkeypatch.setattr(spc, "reply", reply)


STEPS = (Step("4 + 3 =", "7"), Step("9 - 4 =", "5"))


def test_a_game_is_zero_sum_where_it_is_played_and_lost_by_the_generator_where_nothing_is_spoiled(monkeypatch):
    """The sound attempt on 7 is caught, that on 5 is not; every right step is accepted."""
    script = {"4 + 3 =": "slip 8", "9 - 4 =": "slip 4"}
    scripted(
        monkeypatch,
        lambda text: script[text[6:].rsplit(" ", 1)[0]],
        lambda text: "7 wrong" if text == "judge 4 + 3 = 8" else "5 right",
    )
    found, told = spc.play(None, None, ground(STEPS), replace(TINY, games=40), np.random.default_rng(0))
    judged, spoiled = found["critic"], found["generator"]
    asked = [WORDS.text(row).split() for row in judged.rollouts.tokens]
    assert len(asked) == 80 and len(spoiled.reward) == 40
    for words, paid in zip(asked[:40], judged.reward[:40], strict=True):
        assert paid == (1 if words[1] == "4" else -1)
    assert np.array_equal(spoiled.reward, -judged.reward[:40])  # in the same order
    assert (judged.reward[40:] == 1).all() and "the critic writes" in told
    assert all(spoiled.rollouts.tokens[row, 1] == judged.rollouts.tokens[row, 1] for row in range(40))


def test_unsound_attempts_cost_the_generator_one_and_never_reach_the_critic(monkeypatch):
    scripted(monkeypatch, lambda text: "slip 8" if "4 + 3" in text else "slip 5", lambda text: "7 right")
    settings = replace(TINY, games=30)
    found, _ = spc.play(None, None, ground(STEPS), settings, np.random.default_rng(1))
    tried = [WORDS.text(row) for row in found["generator"].rollouts.tokens]
    sound = np.array(["4 + 3" in text for text in tried])
    assert (found["generator"].reward == np.where(sound, 1, -1)).all()  # this critic accepts all
    assert len(found["critic"].reward) == 2 * sound.sum() <= 60
    assert (sound.sum() == 30 and sound[-1]) or len(tried) == 60  # it ends with the last game, or with the attempts
    scripted(monkeypatch, lambda text: "slip 5 5", lambda text: "7 right")
    found, told = spc.play(None, None, ground(STEPS[:1]), settings, np.random.default_rng(1))
    assert len(found["critic"].reward) == 0 and (found["generator"].reward == -1).all() and told == ""


def test_an_unreadable_verdict_is_a_false_one(monkeypatch):
    scripted(monkeypatch, lambda text: "slip 8", lambda text: "wrong")
    found, _ = spc.play(None, None, ground(STEPS[:1]), TINY, np.random.default_rng(0))
    assert (found["critic"].reward == -1).all() and (found["generator"].reward == 1).all()


def test_dealt_rewards_are_the_same_ones_in_another_order(monkeypatch):
    scripted(monkeypatch, lambda text: "slip 8", lambda text: "7 right")
    fair, _ = spc.play(None, None, ground(STEPS[:1]), replace(TINY, games=50), np.random.default_rng(0))
    mixed, _ = spc.play(None, None, ground(STEPS[:1]), replace(TINY, games=50, dealt=True), np.random.default_rng(0))
    assert sorted(fair["critic"].reward) == sorted(mixed["critic"].reward)
    assert 10 < (mixed["critic"].reward[:50] == 1).sum() < 40 and (fair["critic"].reward[:50] == -1).all()


@pytest.mark.parametrize(
    ("who", "expected"), [("before", [0, 0, 1, 2]), ("same", [0, 1, 2, 3]), ("first", [0, 0, 0, 0])]
)
def test_which_generation_of_critics_a_generator_meets(monkeypatch, who, expected):
    base, met = ground(STEPS), []

    def play(generator, critic, ground, settings, rng):
        met.append((generator.number, critic.number))
        empty = Pool(Rollouts(*(np.zeros((1, 1), kind) for kind in (np.int64, np.int64, np.float32))), np.ones(1))
        return {"critic": empty, "generator": empty}, ""

    def improve(first, pool, lessons, settings, rng):
        assert first.number == 0  # always from the first generation, on all games so far
        new = copy.deepcopy(first)
        new.number = len(pool.reward)
        return new

    base.critic.number = base.generator.number = 0
    one = spc.sampled(0.5, "")
    monkeypatch.setattr(spc, "prepare", lambda settings, rng: base)
    monkeypatch.setattr(spc, "play", play)
    monkeypatch.setattr(spc, "improve", improve)
    for name, made in (("measure", {"balanced_accuracy": one}), ("search", {}), ("tell", ""), ("balanced", 0.5)):
        monkeypatch.setattr(spc, name, lambda *args, made=made: made)
    log = Notebook()
    spc.run(Settings(critic=who), np.random.default_rng(0), log)
    assert met == [(generation, other) for generation, other in zip(range(4), expected, strict=True)]
    met.clear()
    spc.run(Settings(critic=who, wrong="frozen"), np.random.default_rng(0), Notebook())
    assert met == [(0, other) for other in expected]


class Notebook:
    """A log in memory."""

    def __init__(self):
        self.rows, self.text = [], ""

    def row(self, step, **metrics):
        self.rows.append((step, metrics))

    def example(self, text):
        self.text = text

    def checkpoint(self, state):
        pass

    def restore(self):
        return None


# The update


def test_the_offline_loss_and_its_gradient_are_those_of_the_formula():
    now = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    then, first = np.array([-1.2, -1.5, -0.5], np.float32), np.array([-1.1, -2.0, -0.7], np.float32)
    reward, kl = np.array([1.0, -1.0, 1.0]), 0.3
    loss = spc.offline(now, then, first, reward, kl)
    loss.backward()

    def naive(p):
        return -sum(np.exp(p[i] - then[i]) * (reward[i] - kl * (p[i] - first[i])) for i in range(3)) / 3

    point = now.detach().double().numpy()
    assert loss.item() == pytest.approx(naive(point), abs=1e-6)
    slope = [(naive(point + h) - naive(point - h)) / 2e-5 for h in 1e-5 * np.eye(3)]
    assert np.allclose(now.grad.numpy(), slope, atol=1e-5)


def test_the_mean_of_the_penalty_over_all_replies_is_the_divergence_from_the_first_policy():
    policy, first = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    then = np.array([0.3, 0.3, 0.4])  # games of a third policy, each reply as often as it plays it: weigh by hand
    losses = [
        spc.offline(torch.tensor([np.log(p)]), np.log([[q]])[0], np.log([[f]])[0], np.zeros(1), 1.0)
        for p, q, f in zip(policy, then, first, strict=True)
    ]
    assert float(sum(q * loss for q, loss in zip(then, losses, strict=True))) == pytest.approx(
        (policy * np.log(policy / first)).sum()
    )


def test_an_update_makes_paid_replies_likelier_and_others_less_likely_and_leaves_the_first_as_it_was():
    first = tiny(3)
    before = copy.deepcopy(first.state_dict())
    made = rollouts_of(["judge 4 + 3 = 8"] * 2, ["7 wrong", "7 right"])
    made = made._replace(log_prob=score(first, made).log_prob.detach().numpy())
    rows = np.arange(64) % 2
    pool = Pool(select(made, rows), np.where(rows == 0, 1.0, -1.0))
    settings = replace(TINY, epochs=10, batch=64, imitation=0.0)
    new = spc.improve(first, pool, ground(STEPS).judged, settings, np.random.default_rng(0))
    then, now = made.log_prob.sum(1), score(new, made).log_prob.sum(1).detach().numpy()
    assert now[0] > then[0] + 0.1 and now[0] - now[1] > then[0] - then[1] + 0.1
    assert all(torch.equal(weight, before[name]) for name, weight in first.state_dict().items())


def test_nothing_played_changes_nothing_and_the_pool_grows():
    first = tiny(3)
    empty = Pool(select(rollouts_of(["judge 4 + 3 = 8"], ["7 wrong"]), np.zeros(0, np.int64)), np.zeros(0))
    new = spc.improve(first, empty, ground(STEPS).judged, TINY, np.random.default_rng(0))
    assert all(torch.equal(weight, new.state_dict()[name]) for name, weight in first.state_dict().items())
    one = Pool(rollouts_of(["judge 4 + 3 = 8"], ["7 wrong"]), np.ones(1))
    both = spc.pooled(spc.pooled(None, one), one._replace(reward=-np.ones(1)))
    assert both.reward.tolist() == [1, -1] and len(both.rollouts.tokens) == 2


# What is measured


def test_acceptance_is_the_softmax_over_both_verdicts_after_the_greedy_critique():
    critic = tiny(5)
    asked = ["judge 4 + 3 = 8", "judge 9 - 4 = 5", "judge 4 + 3 = 8"]
    seen = spc.accepts(critic, asked)
    assert seen[0] == seen[2]
    for prompt, chance in zip(asked, seen, strict=True):

        def log_prob(text, prompt=prompt):
            return score(critic, rollouts_of([prompt], [text])).log_prob[0, :-1].sum().item()

        own = max(arithmetic.NUMBERS, key=log_prob)
        assert chance == pytest.approx(1 / (1 + np.exp(log_prob(f"{own} wrong") - log_prob(f"{own} right"))), abs=1e-6)


def test_natural_errors_are_the_first_of_their_derivations_by_the_exact_checker(monkeypatch):
    def solved(solver, asks, rng):
        right = [spc.alone(ask).key[2] for ask in asks]
        noise = rng.random(len(asks))
        return [
            str(number if luck < 0.6 else (number + 1) % 10) if luck < 0.9 else "+"
            for number, luck in zip(right, noise, strict=True)
        ]

    monkeypatch.setattr(spc, "solved", solved)
    found = spc.natural(None, CHAINS, 5, np.random.default_rng(0))
    assert len(found.answer) == len(CHAINS) and {len(row) for row in found.answer} == {5}
    for asked, right in zip(found.asked, found.right, strict=True):
        _, value, sign, operand, _, claimed = asked.split()
        true = {"+": int(value) + int(operand), "-": int(value) - int(operand), "*": int(value) * int(operand)}[sign]
        assert right == (int(claimed) == true) and 0 <= true <= 9
    assert any(None in row for row in found.answer) and 0 < (~found.right).sum() <= 5 * len(CHAINS)
    monkeypatch.setattr(spc, "solved", lambda solver, asks, rng: [str(spc.alone(ask).key[2]) for ask in asks])
    perfect = spc.natural(None, CHAINS, 2, np.random.default_rng(0))
    assert perfect.right.all() and len(perfect.asked) == 2 * 4 * len(CHAINS)
    assert perfect.answer == [[str(problem.key[2])] * 2 for problem in CHAINS]


def test_balanced_accuracy_counts_both_sorts_alike(monkeypatch):
    test = Natural(["a", "b", "c", "d", "e"], np.array([True, True, True, True, False]), [])
    monkeypatch.setattr(spc, "accepts", lambda critic, asked: np.array([0.9, 0.5, 0.4, 0.1, 0.2]))
    assert spc.balanced(None, test) == pytest.approx((2 / 4 + 1) / 2)
    monkeypatch.setattr(spc, "accepts", lambda critic, asked: np.zeros(0))
    assert spc.balanced(None, Natural([], np.zeros(0, bool), [])) == 0.5


def test_the_matrix_game_and_its_exploitability_by_hand(monkeypatch):
    """Slips are found with 0.35 on one step and unsound on the other, all else is found with 0.15; right steps 0.65."""
    scripted(monkeypatch, lambda text: "8" if "slip" in text else "0", None)
    monkeypatch.setattr(
        spc,
        "reply",
        lambda model, prompts, longest, rng: rollouts_of(
            prompts, ["8" if text.endswith("slip") else "0" for text in prompts]
        ),
    )
    chance = {
        "judge 4 + 3 = 8": 0.35,
        "judge 4 + 3 = 0": 0.15,
        "judge 9 - 1 = 0": 0.15,
        "judge 4 + 3 = 7": 0.65,
        "judge 9 - 1 = 8": 0.65,
    }
    monkeypatch.setattr(spc, "accepts", lambda critic, asked: np.array([chance[text] for text in asked]))
    held = (Step("4 + 3 =", "7"), Step("9 - 1 =", "8"))
    matrix, mixture, sound = spc.matrix_game(None, tiny(), ground(STEPS, held), np.random.default_rng(0))
    accepted = THRESHOLDS <= 0.65
    assert np.allclose(matrix[0], (1 - 0.5 * (THRESHOLDS <= 0.35) + accepted) / 2)
    assert np.allclose(matrix[1:], (1 - (THRESHOLDS <= 0.15) + accepted) / 2)
    assert mixture.sum() == pytest.approx(1) and sound == pytest.approx(1 - mixture[0] / 2)
    empty = Natural([], np.zeros(0, bool), [])
    monkeypatch.setattr(
        spc,
        "matrix_game",
        lambda *args: (
            np.array([[0.9, 0.2, 0.6, 0.6, 0.6, 0.5, 0, 0, 0, 0, 0], [0.1, 0.8, 0.6, 0.6, 0.6, 0.7, 0, 0, 0, 0, 0]]),
            np.array([0.25, 0.75]),
            1.0,
        ),
    )
    seen = spc.measure(None, None, None, empty, None)
    assert seen["exploitability"].number == pytest.approx(
        0.65 - 0.5
    )  # the second threshold against the mix; type 0 against 0.5
    assert seen["value"].number == pytest.approx(
        0.6
    )  # 0.6 for sure; a mix of the first two gives 0.5, of 0.9 and 0.7 less
    assert seen["caught"].number == pytest.approx(0.65)


def test_a_perfect_critic_finds_what_a_coin_tossing_solver_writes_now_and_then_and_a_blind_one_does_not(monkeypatch):
    def solved(solver, asks, rng):
        return [
            str(min(max(spc.alone(ask).key[2], 0), 9)) if luck < 0.4 else str(rng.integers(10))
            for ask, luck in zip(asks, rng.random(len(asks)), strict=True)
        ]

    def accepts(critic, asked):
        return np.array(
            [float(spc.alone(" ".join(text.split()[1:5])).key[2] == int(text.split()[-1])) for text in asked]
        )

    monkeypatch.setattr(spc, "solved", solved)
    monkeypatch.setattr(spc, "accepts", accepts)
    rng = np.random.default_rng(0)
    base = ground(STEPS)._replace(chains=CHAINS, test=spc.natural(None, CHAINS, 8, rng))
    seen = spc.search(None, base, Settings(beams=1), rng)
    assert seen["beam"].number >= 0.9  # 1 - 0.54^8 at each of four places
    assert seen["beam"].number - seen["vote"].number == pytest.approx(seen["search_gain"].number)
    assert spc.search(None, base, Settings(), rng)["beam"].number > 0.5  # two beams share the samples
    assert spc.search(None, base, Settings(blind=True), rng)["beam"].number < 0.5
    monkeypatch.setattr(spc, "solved", lambda solver, asks, rng: ["="] * len(asks))
    assert spc.search(None, base, Settings(), rng)["beam"].number == 0.0  # nothing to search among


# The whole


def test_arms_of_a_seed_start_from_the_same_models_and_the_same_errors():
    one, other = (spc.prepare(replace(ARMS[arm], **TINY_SIZES), np.random.default_rng(7)) for arm in ("spc", "dealt"))
    for first, second in ((one.critic, other.critic), (one.generator, other.generator), (one.solver, other.solver)):
        assert all(torch.equal(weight, second.state_dict()[name]) for name, weight in first.state_dict().items())
    assert one.test.asked == other.test.asked and one.held == other.held
    assert not {problem.prompt for problem in CHAINS} & {own.prompt for own in one.chains}  # CHAINS are to train on


TINY_SIZES = {
    name: getattr(TINY, name) for name in ("width", "problems", "warm", "weak", "taught", "lessons", "tests", "samples")
} | {"level": 2}


def test_a_small_run_gives_its_numbers_and_tells_a_story():
    log = Notebook()
    seen = spc.run(TINY, np.random.default_rng(0), log)
    assert {claim.metric for claim in spc.RECIPE.claims} <= set(seen) <= set(spc.RECIPE.metrics)
    assert [step for step, _ in log.rows] == [0, 1] and "at equilibrium" in log.text
    assert all(0 <= seen[name].number <= 1 for name in ("balanced_accuracy", "exploitability", "beam", "vote", "sound"))


@pytest.mark.parametrize(
    ("wrong", "word"), [({"rounds": -1}, "rounds"), ({"games": 0}, "games"), ({"samples": 5}, "samples")]
)
def test_settings_that_cannot_be_are_refused(wrong, word):
    with pytest.raises(ValueError, match=word):
        Settings(**wrong)


def test_the_critics_own_threshold_is_one_half():
    assert THRESHOLDS[OWN] == 0.5 and len(TYPES) == 5
