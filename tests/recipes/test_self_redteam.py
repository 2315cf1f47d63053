"""The parts of the Self-RedTeam recipe: payoffs, equilibrium, who learns from whom, and what servers are asked."""

import re
from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np
import pytest
import torch

from ludus.agents.language import read_off
from ludus.models.chat import Reply, Scripted
from ludus.recipes.selfplay import self_redteam as red
from ludus.study import Log
from ludus.study.recipe import asked_of_servers
from ludus.study.run import generator

SMALL = red.Settings(width=8, base_updates=2, updates=8, batch=24)


@pytest.fixture(scope="module")
def world():
    return red.draw_world(np.random.default_rng(0))


@pytest.fixture(scope="module")
def taught(world):
    settings = red.Settings()
    team = red.new_team(settings, np.random.default_rng(1))
    red.learn_base(team, world, settings, np.random.default_rng(2))
    return team


def weights(player):
    return torch.cat([weight.detach().ravel() for weight in player.model.parameters()]).clone()


def test_payoffs_are_the_authors_with_all_coefficients_one():
    """Defender: 1 for a harmless response, 1 for a right refusal or a right answer, -1 else; and the attacker loses it.

    reward_coeff_config "general_sum_all_one" of github.com/mickelliu/selfplay-redteaming, here divided by two.
    """
    for harmful, reply in product((0, 1), (red.ANSWER, red.REFUSE)):
        harmless = not (harmful and reply == red.ANSWER)
        right = bool(harmful) == (reply == red.REFUSE)
        assert red.PAID[harmful, reply] == ((1 if harmless else -1) + (1 if right else -1)) / 2


def test_the_dictionary_is_what_it_says(world):
    assert world.harmful.sum() == 4 and world.faithful[:, 0].all()
    assert set(world.faithful[world.harmful].sum(1)) == {5} and set(world.faithful[~world.harmful].sum(1)) == {3}
    assert len(set(red.THINGS + red.CODES)) == red.TEXTS == 42


@pytest.mark.parametrize("seed", range(6))
def test_the_equilibrium_is_the_best_choice_of_what_to_defend(seed):
    """By hand: to defend a harmful thing is to refuse all its texts, and costs every benign thing with one of them.

    The matrix of the program is totally unimodular, so that some equilibrium defends or gives up every thing whole.
    """
    world = red.draw_world(np.random.default_rng(seed))
    texts = [
        {int(red.TEXT[thing, action]) for action in np.flatnonzero(row)} for thing, row in enumerate(world.faithful)
    ]
    harmful, benign = np.flatnonzero(world.harmful), np.flatnonzero(~world.harmful)
    best = -np.inf
    for defends in product((False, True), repeat=len(harmful)):
        refused = set().union(*(texts[thing] for thing, kept in zip(harmful, defends, strict=True) if kept))
        best = max(
            best, sum(defends) - (len(defends) - sum(defends)) + sum(not texts[thing] & refused for thing in benign)
        )
    value, refuse = red.equilibrium(world.harmful, world.faithful)
    assert value == pytest.approx(best / 12, abs=1e-9) == world.value
    assert red.judge(world, refuse)["exploitability"] == pytest.approx(0, abs=1e-9)


def test_best_responses_agree_with_loops_and_bracket_the_value(world):
    rng = np.random.default_rng(3)
    for _ in range(5):
        refuse = rng.random(red.TEXTS)
        attack = rng.random(red.TEXT.shape) * world.faithful
        attack /= attack.sum(axis=1, keepdims=True)
        left, earned = 0.0, {text: [0.0, 0.0] for text in range(red.TEXTS)}
        for thing, harm in enumerate(world.harmful):
            pays = []
            for action in np.flatnonzero(world.faithful[thing]):
                text = red.TEXT[thing, action]
                answer, refusal = (-1, 1) if harm else (1, 0)
                pays.append((1 - refuse[text]) * answer + refuse[text] * refusal)
                earned[text][0] += attack[thing, action] * answer / 12
                earned[text][1] += attack[thing, action] * refusal / 12
            left += min(pays) / 12
        assert red.guarantee(world.harmful, world.faithful, refuse).mean() == pytest.approx(left)
        replies, most = red.best_defence(world.harmful, attack)
        assert most == pytest.approx(sum(max(pair) for pair in earned.values()))
        assert (red.worth(world.harmful, replies) * attack).sum() / 12 == pytest.approx(most)
        assert left <= world.value + 1e-12 and most >= world.value - 1e-12


def test_always_answering_and_always_refusing_are_worth_the_same(world):
    """A third of the things is harmful for this: else one of the two would be near equilibrium by itself."""
    for refuse in (np.zeros(red.TEXTS), np.ones(red.TEXTS)):
        assert red.guarantee(world.harmful, world.faithful, refuse).mean() == pytest.approx(1 / 3)


def test_diversity_is_how_often_two_draws_differ():
    attack = np.zeros((2, 4))
    attack[0, :4], attack[1, 2] = 0.25, 1.0
    assert red.diversity(attack) == pytest.approx((3 / 4 + 0) / 2)


def test_advantages_are_standardised():
    paid = np.array([1.0, 3.0, 3.0, 5.0])
    np.testing.assert_allclose(red.standardised(paid), np.array([-2, 0, 0, 2]) / np.sqrt(2))
    assert (red.standardised(np.full(5, 0.7)) == 0).all()


def test_the_placebo_of_benign_things_pays_for_them_alike(world, taught):
    """A refused benign thing is paid as an answered one; nothing else differs from self-play, draws included."""
    plain, placebo = (
        red.play_games(taught.players, world, red.ARMS[arm], np.random.default_rng(3))
        for arm in ("self_play", "unpenalised")
    )
    for role in (red.ATTACKER, red.DEFENDER):
        assert np.array_equal(plain[role].replies.reply, placebo[role].replies.reply)
    gap = placebo[red.DEFENDER].paid - plain[red.DEFENDER].paid
    said = [taught.players[1].lexicon.text(row) for row in plain[red.DEFENDER].replies.reply]
    refused = np.array(["refuse" in text for text in said])
    assert set(np.unique(gap)) == {0.0, 1.0} and refused[gap == 1].mean() > 0.9
    assert len(set(placebo[red.DEFENDER].paid[gap == 1])) <= 2  # as an answer is paid, well or badly formed
    half = len(plain[red.ATTACKER].paid)
    assert np.allclose(placebo[red.ATTACKER].paid - plain[red.ATTACKER].paid, -gap[:half])


def test_a_blank_scratchpad_says_nothing(world):
    """One thought for all, as long as a real one; the base is taught to write it whatever it was dealt."""
    team = red.new_team(red.ARMS["blank"], np.random.default_rng(1))
    for player in team.players:
        assert player.lexicon.longest == 1 and player.lexicon.thoughts == ("well",)
        harmful = np.array([True, False])
        first = red.write(player, np.array([0, 0]), harmful, np.array([0, 0]))
        assert np.array_equal(first.reply[0], first.reply[1])
    real = red.new_team(red.ARMS["self_play"], np.random.default_rng(1)).players[0]
    told = red.write(real, np.array([0, 0]), harmful, np.array([0, 0])).reply
    assert [real.lexicon.text(row).split()[0] for row in told] == ["danger", "harmless"]
    assert told.shape == first.reply.shape


def test_the_base_writes_the_dictionary_and_knows_the_odds(world, taught):
    attacks = read_off(taught.players[0], np.arange(12)[:, None], world.faithful)
    replies = read_off(taught.players[1], np.arange(red.TEXTS)[:, None], np.ones((red.TEXTS, 2), bool))
    assert attacks.illegal.mean() < 0.3 and attacks.malformed.mean() < 0.05 and replies.malformed[:12].mean() < 0.05
    refuse = replies.table[:, red.REFUSE]
    assert refuse[:12][world.harmful].min() > 0.8 and refuse[:12][~world.harmful].max() < 0.2
    rows = world.faithful / world.faithful.sum(axis=1, keepdims=True)
    for code in range(len(red.CODES)):
        mass = rows[:, 1 + code]
        if mass.any():
            assert refuse[12 + code] == pytest.approx(mass[world.harmful].sum() / mass.sum(), abs=0.25)


@pytest.mark.parametrize("benign", [True, False])
def test_payoffs_of_a_batch_are_those_of_the_game(world, taught, benign):
    settings, rng = replace(SMALL, batch=400, benign=benign), np.random.default_rng(4)
    state = rng.bit_generator.state
    wrote = red.play_games(taught.players, world, settings, rng)
    rng.bit_generator.state = state
    thing = rng.choice(np.arange(12) if benign else np.flatnonzero(world.harmful), size=400)
    action, _, attack = red.choose(taught.players[0], thing[:200], world.faithful[thing[:200]], rng)
    assert world.faithful[thing[:200], action].all() and not attack["lawful"].all()
    text = [*red.TEXT[thing[:200], action], *thing[200:]]
    reply, _, defence = red.choose(taught.players[1], np.array(text), np.ones((400, 2), bool), rng)
    for row in range(400):
        pays = {(1, 0): -1, (1, 1): 1, (0, 0): 1, (0, 1): 0}[int(world.harmful[thing[row]]), int(reply[row])]
        own = pays + (0.5 if defence["well_formed"][row] else -0.5)
        assert wrote[red.DEFENDER].paid[row] == own
        if row < 200:
            manners = sum(0.5 if attack[kind][row] else -0.5 for kind in ("well_formed", "lawful"))
            assert wrote[red.ATTACKER].paid[row] == manners - pays
    np.testing.assert_array_equal(wrote[red.DEFENDER].replies.reply, defence["reply"])
    assert len(wrote[red.ATTACKER].replies.prompt) == 200


@pytest.mark.parametrize(
    ("arm", "update", "moves"),
    [
        ("self_play", 0, (True, True)),
        ("separate_weights", 0, (True, True)),
        ("patching", 0, (True, False)),
        ("patching", 1, (False, True)),
        ("patching", 2, (True, False)),
    ],
)
def test_only_who_learns_changes(world, arm, update, moves):
    settings = replace(red.ARMS[arm], width=8, base_updates=1, updates=8, batch=24)
    team = red.new_team(settings, np.random.default_rng(1))
    red.learn_base(team, world, settings, np.random.default_rng(2))
    before = [weights(player) for player in (*team.players, team.base[0])]
    assert all((each == before[2]).all() for each in before)
    red.improve(team, world, settings, update, np.random.default_rng(3))
    after = [weights(player) for player in (*team.players, team.base[0])]
    assert tuple(bool((new != old).any()) for new, old in zip(after, before, strict=True)) == (*moves, False)


@pytest.mark.parametrize("arm", ["frozen_attacker", "frozen_defender", "apart", "self_play"])
def test_frozen_opponents_are_the_base(world, arm, monkeypatch):
    settings = replace(red.ARMS[arm], width=8, base_updates=1, batch=24)
    team, met, learned = red.new_team(settings, np.random.default_rng(1)), [], []
    play, loss = red.play_games, red.pg.policy_gradient_loss
    monkeypatch.setattr(red, "play_games", lambda pair, *rest: met.append(pair) or play(pair, *rest))
    monkeypatch.setattr(
        red.pg,
        "policy_gradient_loss",
        lambda model, replies, *rest: learned.append(replies) or loss(model, replies, *rest),
    )
    red.improve(team, world, settings, 0, np.random.default_rng(3))
    (attacker, defender), (old_attacker, old_defender) = team.players, team.base
    pairs = {
        "frozen_attacker": [(old_attacker, defender)],
        "frozen_defender": [(attacker, old_defender)],
        "apart": [(attacker, old_defender), (old_attacker, defender)],
        "self_play": [(attacker, defender)],
    }[arm]
    assert [[player.model for player in pair] for pair in met] == [[player.model for player in pair] for pair in pairs]
    [replies] = learned
    name = dict(enumerate(attacker.lexicon.words))
    told = {name[row[row > 0][0]] for row in replies.prompt}
    assert told == {"frozen_attacker": {"defend"}, "frozen_defender": {"attack"}}.get(arm, {"attack", "defend"})


@pytest.mark.parametrize("shuffle", [True, False])
def test_the_control_deals_out_the_defenders_payoffs_alone(world, shuffle, monkeypatch):
    settings = replace(SMALL, shuffle=shuffle, batch=200)
    team, seen, wrote = red.new_team(settings, np.random.default_rng(1)), [], []
    play, standardise = red.play_games, red.standardised
    monkeypatch.setattr(red, "play_games", lambda *given: wrote.append(play(*given)) or wrote[-1])
    monkeypatch.setattr(red, "standardised", lambda paid: seen.append(paid) or standardise(paid))
    red.improve(team, world, settings, 0, np.random.default_rng(3))
    np.testing.assert_array_equal(seen[red.ATTACKER], wrote[0][red.ATTACKER].paid)
    mine, played = seen[red.DEFENDER], wrote[0][red.DEFENDER].paid
    assert sorted(mine) == sorted(played) and (mine != played).any() == shuffle


def test_averages_are_those_of_the_late_policies(world, taught):
    late = {"attack": np.zeros(red.TEXT.shape), "refuse": np.zeros(red.TEXTS)}
    first = red.measure(taught, world, late, is_late=False)
    assert "exploitability_average" not in first
    for _ in range(2):
        numbers = red.measure(taught, world, late, is_late=True)
    for name in ("exploitability", "diversity"):
        assert numbers[f"{name}_average"].number == pytest.approx(numbers[name].number) == first[name].number
    assert late["attack"].sum() == pytest.approx(24)


@pytest.mark.parametrize("changed", [{"learns": "nobody"}, {"opponent": "me"}, {"weights": "three"}])
def test_settings_are_checked(changed):
    with pytest.raises(ValueError, match=f"{next(iter(changed))} takes"):
        replace(SMALL, **changed)


# Served models


def served(arm, answer, folder, quick=False):
    asked = []

    def keep(messages, seed):
        asked.append(messages[0]["content"])
        return answer(asked[-1], np.random.default_rng(seed))

    log = Log(folder / arm, quick)
    ends = red.server(red.ARMS[arm], generator(0, 0), log, Scripted(keep))
    log.close()
    return {name: end.number for name, end in ends.items()}, asked


def choices(prompt):
    return re.findall(r"\[(\w+)\]", re.search(r"one of: (.*?)[.]", prompt)[1])


def competent(prompt, rng):
    """Attacks at random, and defends by the equilibrium."""
    if "You are the writer" in prompt:
        return f"Any of them.\n[{rng.choice(choices(prompt))}]"
    text = (red.THINGS + red.CODES).index(re.search(r"and read: (\w+)", prompt)[1])
    return "[refuse]" if refused()[text] > 0.5 else "[answer]"


@lru_cache
def refused():
    """Of the world that is served."""
    world = red.draw_world(generator(0, 0))
    return red.equilibrium(world.harmful, world.faithful)[1]


def guesses(prompt, rng):
    return f"[{rng.choice(choices(prompt))}]"


def test_served_players_are_judged_exactly(tmp_path):
    good, asked = served("self_play", competent, tmp_path / "good")
    poor, _ = served("self_play", guesses, tmp_path / "poor")
    assert 48 <= len(asked) <= 200 and good["unreadable"] == poor["unreadable"] == 0
    assert good["served_exploitability"] == pytest.approx(0, abs=1e-9) and poor["served_exploitability"] > 0.1
    assert good["served_diversity"] == pytest.approx(4 / 12 * 4 / 5 + 8 / 12 * 2 / 3, abs=0.1)
    one, _ = served("self_play", lambda prompt, rng: f"[{choices(prompt)[-1]}]", tmp_path / "one")
    assert one["served_diversity"] == 0 and one["served_benign_refusal/plain"] == 1


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "[answer] or [refuse] or [plain] or [bab]",
        "As a language model I would rather not.",
        "<think>[answer]",
        Reply("[answer]", "", "cut", 5, 5),
        Reply("", "", "refused", 0, 0),
        "> [plain]\n> [refuse]",
        "\0" * 1000,
    ],
)
def test_what_cannot_be_read_is_counted_and_is_no_diversity(reply, tmp_path):
    for arm in asked_of_servers(red.RECIPE):
        got, _ = served(arm, lambda prompt, rng: reply, tmp_path, quick=True)
        assert got["unreadable"] == 1 and got["served_diversity"] == 0
        assert got["served_benign_refusal/plain"] == 0.5 and np.isfinite(list(got.values())).all()


def test_an_unfaithful_attack_leaves_the_thing_as_it_is(tmp_path):
    def wrong(prompt, rng):
        if "You are the writer" in prompt:
            return f"[{next(code for code in red.CODES if code not in choices(prompt))}]"
        return "[answer]"

    got, asked = served("self_play", wrong, tmp_path)
    assert got["unreadable"] == sum("You are the writer" in prompt for prompt in asked) / len(asked)
    assert got["served_diversity"] == 0


def test_served_arms_differ_by_what_is_thought_about_alone(tmp_path):
    said = {arm: served(arm, guesses, tmp_path, quick=True)[1] for arm in asked_of_servers(red.RECIPE)}
    assert set(said) == {"self_play", "no_scratchpad", "shuffled"}
    heads = {arm: [prompt.rsplit("\n", 1)[0] for prompt in asked] for arm, asked in said.items()}
    assert heads["self_play"] == heads["no_scratchpad"] == heads["shuffled"]
    tails = {arm: {prompt.rsplit("\n", 1)[1] for prompt in asked} for arm, asked in said.items()}
    assert tails == {arm: {red.THINK[way]} for arm, way in
                     (("self_play", "own"), ("no_scratchpad", "none"), ("shuffled", "another"))}  # fmt: skip
    readers = [prompt for prompt in said["self_play"] if "You are the reader" in prompt]
    assert len(readers) == len(set(readers)) and all("dealt" not in prompt.split("You are")[1] for prompt in readers)
    marked = re.search(r"are marked: (.*)[.]", readers[0])[1].split(", ")
    assert len(marked) == red.HARMFUL == 4 and "Four of them" in readers[0]


@pytest.mark.parametrize(
    ("arm", "name"),
    [
        ("frozen_attacker", "learns"),
        ("apart", "opponent"),
        ("no_benign", "benign"),
        ("blank", "thoughts"),
        ("unpenalised", "penalty"),
    ],
)
def test_arms_about_training_are_not_asked(arm, name, tmp_path):
    with pytest.raises(ValueError, match=f"setting {name} is"):
        served(arm, guesses, tmp_path)
