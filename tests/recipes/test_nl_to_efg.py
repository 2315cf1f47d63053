"""Words to game trees: the programs by hand, sets by their definition, trees compared by brute force, the pipeline."""

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from ludus.gambit import read_efg
from ludus.models.transformer import log_probabilities
from ludus.recipes.equilibria import nl_to_efg as recipe
from ludus.recipes.equilibria.nl_to_efg import ARMS, KINDS, RECIPE, Settings, Sketch

QUICK = {name: replace(arm, **RECIPE.quick) for name, arm in ARMS.items()}
POKER = Sketch(("c", "bob", "ann"), "1/3", {(1, 0): True, (2, 0): False}, "-1", ("2", "1", "-2", "0"))


def drawn(count, seed=0):
    rng = np.random.default_rng(seed)
    return [recipe.draw_game(rng, kind) for kind in KINDS for _ in range(count)]


def words(text):
    return text.split()


def tree(program):
    return read_efg(recipe.render(program))


def test_a_game_of_poker_by_hand():
    assert recipe.stage_one(POKER) == words("bob 1* - #1 ann ? 1* #1 bob 2* - #2 ann ? 1* #1 <end>")
    program = recipe.stage_two(POKER)
    assert program == words("c 1/3 2/3 bob #1 two ann #1 two 2 1 -1 bob #2 two ann #1 -2 0 -1 <end>")
    grown = tree(program)
    # chance, two of bob's, two of ann's and two ends by his second move, four ends: 11 nodes; 3 information sets
    assert (len(grown.turn), len(grown.player)) == (11, 3)
    assert sorted(grown.payoff[grown.first[:-1] == grown.first[1:]][:, 0].tolist()) == [-2, -1, -1, 0, 1, 2]
    # Bob knows the card and ann does not. With q on her first move she earns, if he goes on, 1 + q on the first card
    # and -2 q on the second; if he ends it, -1. So he ends on the first, and the value is -1/3 + 2/3 min(-1, -2 q).
    assert recipe.value(" ".join(program)) == pytest.approx(-1)


@pytest.mark.parametrize("sees, worth", [(True, (1 / 3) * -1 + (2 / 3) * -2), (False, 0)])
def test_talk_is_free_and_a_hidden_card_is_not(sees, worth):
    """Ann knows the card and speaks; bob answers. In a game of constant sum he does not believe a word."""
    seen = {(1, 0): True, (2, 0): sees, (2, 1): True}
    game = Sketch(("c", "ann", "bob"), "1/3", seen, "", ("2", "-1", "-2", "1"))
    expected = worth if sees else min((1 / 3) * 2 + (2 / 3) * -2, (1 / 3) * -1 + (2 / 3) * 1)
    assert recipe.value(" ".join(recipe.stage_two(game))) == pytest.approx(expected)


def test_information_sets_by_their_definition():
    """Nodes of one player and level belong together where every branch that the player has seen is the same."""
    for game in drawn(40):
        grown = tree(recipe.stage_two(game))
        ways = [tuple(int(str(step)[0]) - (step != 0 and step != 1) for step in way) for way in recipe.ways(grown)]
        for one, other in itertools.combinations(range(len(ways)), 2):
            if grown.turn[one] < 0 or grown.turn[one] != grown.turn[other]:
                continue
            level = len(ways[one])
            own = {at for at in range(level) if game.owners[at] == game.owners[level]}
            seen = own | {at for at in range(level) if game.seen.get((level, at), True)}
            together = len(ways[other]) == level and all(ways[one][at] == ways[other][at] for at in seen)
            assert (grown.infoset[one] == grown.infoset[other]) == together
        assert (len(set(grown.infoset[grown.infoset >= 0])) == (grown.infoset >= 0).sum()) == all(game.seen.values())
        assert grown.perfect_recall


def test_every_game_is_told_in_the_words_of_the_model_and_its_program_is_read():
    rng = np.random.default_rng(1)
    for game in drawn(100):
        told, sets, program = recipe.describe(game, rng), recipe.stage_one(game), recipe.stage_two(game)
        assert len(told) == recipe.DESCRIPTION and recipe.fault(program) == ""
        assert max(len(sets), len(program)) <= recipe.REPLY and {*told, *sets, *program} <= set(recipe.WORDS)
        spoilt = recipe.spoil(program, rng)
        error = recipe.fault(spoilt)
        assert error and recipe.place(error) in recipe.WORDS and spoilt[-1] == "<end>"
        assert len(spoilt) <= recipe.REPLY
    assert len(set(recipe.WORDS)) == len(recipe.WORDS)


def test_what_is_no_program_is_refused_and_nothing_is_run():
    rng = np.random.default_rng(2)
    right = recipe.stage_two(POKER)
    for wrong in ([], ["<end>"], right[1:], [*right[:-1], "0"], ["ann", "two"], ["c", "1/3", "1/3", "0", "0"]):
        assert recipe.fault(wrong)
    for _ in range(300):
        recipe.fault(rng.choice(recipe.WORDS[1:], rng.integers(1, 30)).tolist())  # a string, and no other error


def flat(grown, node=0):
    """The tree as nested tuples, with its children in the order of the file."""
    below = [flat(grown, child) for child in range(grown.first[node], grown.first[node + 1])]
    if not below:
        return (tuple(grown.payoff[node]),)
    if grown.infoset[node] < 0:
        odds = grown.chance[grown.first[node] : grown.first[node + 1]]
        return ("c", tuple(np.round(odds, 9).tolist()), *below)
    return (int(grown.turn[node]), int(grown.infoset[node]), *below)


def orders(grown):
    """Every way to swap the moves of whole information sets and the outcomes of each chance node, sets renumbered."""
    places = sorted(set(grown.infoset[grown.infoset >= 0].tolist()))

    def swapped(shape, swaps, numbers):
        if len(shape) == 1:
            return shape
        kind, mark, left, right = shape
        turn = swaps["c" if kind == "c" else mark]
        pair = (swapped(right, swaps, numbers), swapped(left, swaps, numbers)) if turn else None
        pair = pair or (swapped(left, swaps, numbers), swapped(right, swaps, numbers))
        return (kind, mark[::-1] if kind == "c" and turn else mark, *pair)

    def renumbered(shape, numbers):
        if len(shape) == 1:
            return shape
        kind, mark, *below = shape
        mark = mark if kind == "c" else numbers.setdefault(mark, len(numbers))
        return (kind, mark, *(renumbered(each, numbers) for each in below))

    shape = flat(grown)
    for flags in itertools.product([False, True], repeat=len(places) + 1):
        swaps = dict(zip([*places, "c"], flags, strict=True))
        yield renumbered(swapped(shape, swaps, {}), {})


def test_isomorphic_trees_by_brute_force():
    rng = np.random.default_rng(3)
    programs = [recipe.stage_two(game) for game in drawn(30, seed=4) if game.ends]  # at most 5 sets
    alike = 0
    for program in programs:
        one = tree(program)
        changed = list(program)
        for _ in range(rng.integers(1, 3)):
            at = int(rng.choice([k for k, word in enumerate(program) if word in recipe.PAYOFFS]))
            changed[at] = program[at] if rng.integers(2) else str(rng.choice(recipe.PAYOFFS))
        for other in (changed, programs[rng.integers(len(programs))]):
            another = tree(other)
            by_force = any(shape == next(orders(another)) for shape in orders(one))
            assert recipe.isomorphic(one, another) == by_force
            alike += by_force
    assert 10 < alike < 2 * len(programs)


def test_names_and_order_do_not_matter_and_sets_do():
    right = tree(words("ann #1 two bob #1 two 1 2 bob #1 3 0 <end>"))
    assert recipe.isomorphic(right, tree(words("ann #3 two bob #2 two 0 3 bob #2 2 1 <end>")))  # both turned
    assert not recipe.isomorphic(right, tree(words("ann #1 two bob #1 two 1 2 bob #1 0 3 <end>")))  # one of two nodes
    split = tree(words("ann #1 two bob #1 two 1 2 bob #2 two 0 3 <end>"))
    assert not recipe.isomorphic(right, split) and not recipe.isomorphic(split, right)
    assert recipe.partition(right) != recipe.partition(split)
    assert not recipe.isomorphic(right, tree(words("bob #1 two ann #1 two 1 2 ann #1 3 0 <end>")))


class Scribe:
    """Stands in for the model: writes what it is told to, and keeps what it was asked."""

    def __init__(self, replies):
        self.replies, self.asked = replies, []

    def __call__(self, model, prompts):
        self.asked.append(prompts)
        return [self.replies(prompt) for prompt in prompts]


def translated(arm, games, monkeypatch, broken=lambda attempt: False):
    """Draft of each game where stage one and stage two are right, and programs are cut short while `broken`."""
    told = [["<padding>"] * row + ["."] for row in range(len(games))]

    def reply(prompt):
        game = games[prompt.index(".")]
        if prompt[-1] == "<sets>":
            return recipe.stage_one(game)
        program = recipe.stage_two(game)
        return [*program[:-2], "<end>"] if broken(prompt.count("<program>")) else program

    scribe = Scribe(reply)
    monkeypatch.setattr(recipe, "write", scribe)
    return recipe.translate(None, told, ARMS[arm]), scribe.asked


def test_the_pipelines_differ_in_what_the_model_is_given(monkeypatch):
    games = drawn(3)
    own, asked = translated("two_stage", games, monkeypatch)
    assert len(asked) == 2 and all(draft.error == "" and len(draft.programs) == 1 for draft in own)
    for row, game in enumerate(games):
        listed = recipe.stage_one(game)
        blanks = ["<blank>"] * (recipe.REPLY - len(listed))
        assert asked[1][row] == [*["<padding>"] * row, ".", "<sets>", *listed, *blanks, "<program>"]
    direct, asked = translated("no_sets", games, monkeypatch)
    assert len(asked) == 1 and all("<sets>" not in prompt for prompt in asked[0])
    assert all(draft.sets == [] for draft in direct)
    shuffled, asked = translated("shuffled", games, monkeypatch)
    for row in range(6):  # three games of each kind: each is given a list of the other kind
        assert shuffled[row].sets == recipe.stage_one(games[(row + 3) % 6])


def test_errors_are_fed_back_where_the_arm_says_so(monkeypatch):
    games = drawn(2)
    drafts, asked = translated("two_stage", games, monkeypatch, broken=lambda attempt: attempt < 3)
    assert [len(draft.programs) for draft in drafts] == [3] * 4 and all(draft.error for draft in drafts)
    drafts, asked = translated("two_stage", games, monkeypatch, broken=lambda attempt: attempt < 2)
    assert all(draft.error == "" for draft in drafts)
    for prompt, draft in zip(asked[2], drafts, strict=True):
        failed, error = draft.programs[0], recipe.fault(draft.programs[0])
        blanks = ["<blank>"] * (recipe.REPLY - len(failed))
        told = ["<program>", *failed, *blanks, "<error>", recipe.place(error), "<program>"]
        assert prompt[-len(told) :] == told
    for arm, tries in (("blind", 3), ("no_debug", 1), ("one_stage", 1)):
        drafts, asked = translated(arm, games, monkeypatch, broken=lambda attempt: attempt < 2)
        assert all(draft.error and len(draft.programs) == tries for draft in drafts)
        assert all("<error>" not in prompt for prompts in asked for prompt in prompts)


def test_marks_of_right_wrong_and_unreadable_programs():
    games = drawn(4, seed=6)
    right = [recipe.Draft([], [recipe.stage_two(game)], "") for game in games]
    found = {name: value.number for name, value in recipe.marks(games, right).items()}
    assert all(found[f"{name}/{kind}"] == 1 for name in ("isomorphic", "partition", "payoffs") for kind in KINDS)
    assert found["value_error/perfect"] == found["value_error/imperfect"] == found["invalid"] == 0
    torn = [["ann", "<end>"]]
    none = {n: v.number for n, v in recipe.marks(games, [recipe.Draft([], torn, "no") for _ in games]).items()}
    assert none["invalid"] == none["first_invalid"] == 1 and none["partition/perfect"] == 0
    worth = [abs(recipe.value(" ".join(recipe.stage_two(game)))) for game in games[4:]]
    assert none["value_error/imperfect"] == pytest.approx(np.mean(worth))
    poker = {**{n: v.number for n, v in recipe.marks([POKER], right[:1]).items()}}
    assert poker["isomorphic/imperfect"] == 0


def test_the_loss_counts_what_is_written_and_nothing_else():
    rng = np.random.default_rng(5)
    model = recipe.blank(QUICK["two_stage"], rng)
    lessons = [recipe.lesson(rng, update) for update in (0, 1, 2)]
    total = 0.0
    for parts in lessons:
        tokens = torch.tensor([recipe.encode([word for part, _ in parts for word in part])])
        with torch.no_grad():
            log_prob = log_probabilities(model, tokens, torch.ones_like(tokens, dtype=torch.bool))[0]
        due = [written for part, written in parts for _ in part]
        total -= float(log_prob[torch.tensor(due)].sum())
    assert recipe.loss_of(model, lessons).item() == pytest.approx(total / (3 * recipe.REPLY), rel=1e-4)
    asked = [[word for part, written in parts for word in part if written] for parts in lessons]
    assert [part.count("<end>") for part in asked] == [2, 1, 1]


def test_the_model_writes_the_likeliest_token_each_time():
    rng = np.random.default_rng(7)
    model = recipe.blank(QUICK["two_stage"], rng)
    prompts = [[*recipe.describe(game, rng), "<program>"] for game in drawn(2)]
    prompts[0] = prompts[0][3:]  # of another length
    for prompt, reply in zip(prompts, recipe.write(model, prompts), strict=True):
        said: list[str] = []
        while len(said) < recipe.REPLY and "<end>" not in said:
            tokens = torch.tensor([recipe.encode(prompt + said)])
            length = tokens.shape[1]
            seen = torch.ones(1, length, length, dtype=torch.bool).tril()
            with torch.no_grad():
                logits, _ = model(tokens, seen, torch.arange(length)[None])
            said.append(recipe.WORDS[int(logits[0, -1].argmax())])
        assert reply == said


class Notebook:
    quick = True

    def __init__(self, state=None):
        self.state, self.rows, self.text = state, [], ""

    def row(self, step, **metrics):
        self.rows.append((step, metrics))

    def example(self, text):
        self.text = text

    def checkpoint(self, state):
        self.state = copy.deepcopy(state)

    def restore(self):
        return copy.deepcopy(self.state)


def test_a_cell_goes_on_from_its_checkpoint_and_blind_debugging_changes_nothing():
    log = Notebook()
    found = recipe.run(QUICK["blind"], np.random.default_rng(8), log)
    assert recipe.run(QUICK["blind"], np.random.default_rng(8), Notebook(log.state)) == found
    assert recipe.run(QUICK["no_debug"], np.random.default_rng(8), Notebook()) == found
    assert log.rows[-1][0] == QUICK["blind"].updates and "Right would be" in log.text
    assert {name.split("/")[0] for name in found} | {"loss"} == set(RECIPE.metrics)
    assert all(claim.metric in found for claim in RECIPE.claims)


def test_teaching_lowers_the_loss_and_depends_on_the_seed_alone():
    small = Settings(width=16, updates=40, batch=4)
    weights, curve = recipe.teach(small, 1)
    recipe.teach.cache_clear()
    again, same = recipe.teach(small, 1)
    assert curve == same and all(np.array_equal(weights[name], again[name]) for name in weights)
    assert curve[-1][1] < curve[0][1]


@pytest.mark.parametrize("wrong", [{"sets": "some"}, {"debug": "loud"}, {"attempts": 0}, {"tests": 0}])
def test_settings_that_mean_nothing_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)
