"""What recipes ask of served models: numbers for every arm that a claim speaks of, whatever is replied.

The stand-ins here know the answer, guess among the answers on offer, or reply rubbish.
"""

import itertools
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

import ludus
from ludus import recipes
from ludus.gambit import read_efg
from ludus.models.chat import Reply, Scripted
from ludus.recipes.equilibria import game_theoretic_llm, gtalign, nl_to_efg, tmgbench
from ludus.recipes.society import cultural_donor
from ludus.study import Log, record
from ludus.study.log import numbers as packed
from ludus.study.recipe import asked_of_servers, resolve
from ludus.study.run import CellFailed, generator, run_study
from ludus.study.verdict import judge

load = lru_cache(recipes.load)
FOUND = {slug: path for slug, path in recipes.find().items() if re.search(r"^    server=", path.read_text(), re.M)}
RECORDS = record.read(Path(ludus.__file__).parents[2] / "results")
GIVES_ALL = (
    "My strategy will be to give 100% to a stranger; to give 100% to one who gave at least 0% and 100% to one who gave "
    "less, looking back 1 step; and to punish nobody."
)


@pytest.fixture
def known(monkeypatch):
    """What the recipes' generators drew, by its words: games of nl_to_efg, messages of gtalign."""
    drawn = {}
    describe, errand = nl_to_efg.describe, gtalign.errand

    def describing(game, rng):
        words = describe(game, rng)
        drawn[" ".join(words)] = game
        return words

    def sending(*given):
        made = errand(*given)
        drawn.setdefault(made.message, []).append(made)
        return made

    monkeypatch.setattr(nl_to_efg, "describe", describing)
    monkeypatch.setattr(gtalign, "errand", sending)
    return drawn


# Stand-ins: (prompts of a conversation, a generator, what was drawn) -> a reply


def knows_cells(said, rng, known):
    """By the definition, over the four cells."""
    cells = re.findall(r"^(\w+)-(\w+): (\d), (\d)$", said[0], re.M)[:4]
    pays = {(row, column): (int(own), int(its)) for row, column, own, its in cells}
    turn = {"up": "down", "down": "up", "left": "right", "right": "left"}
    found = [
        f"{row}-{column}"
        for (row, column), (own, its) in pays.items()
        if own > pays[turn[row], column][0] and its > pays[row, turn[column]][1]
    ]
    return f"Thus:\n**ANSWER: {' and '.join(found) or 'none'}**"


def guesses_cells(said, rng, known):
    return f"ANSWER: {rng.choice(re.search(r'one of these: (.*)[.]', said[0])[1].split('; '))}"


def knows_pair(said, rng, known):
    """The equilibrium with the most points in total, of the first table."""
    lines = re.findall(r"^You choose .*$", said[0].split("End your reply")[0], re.M)
    table = np.array([[list(map(int, cell)) for cell in re.findall(r"(\d+), (\d+) if", line)] for line in lines])
    n = len(table)
    found = [
        (table[i, j].sum(), i)
        for i, j in np.ndindex(n, n)
        if (table[:, j, 0] <= table[i, j, 0]).all() and (table[i, :, 1] <= table[i, j, 1]).all()
    ]
    return f"ANSWER: {max(found)[1] + 1}"


def guesses_action(said, rng, known):
    return f"ANSWER: {rng.integers(int(re.search(r'1 to ([0-9])', said[0])[1])) + 1}"


def translates(said, rng, known, game=None):
    game = game or known[said[0].split("The game\n")[1].split("\n")[0]]
    if "file" in said[0].split("An example")[0]:
        return f"Here it is.\n```\n{nl_to_efg.render(nl_to_efg.stage_two(game))}```"
    return "\n".join(["Some cannot be told apart.", "SETS", *nl_to_efg.set_lines(game)])


def translates_another(said, rng, known):
    return translates(said, rng, known, list(known.values())[rng.integers(len(known))])


TRUE = (
    "user 0.5, assistant 0.46; user 0.9, assistant 0.92; user 0.75, assistant 0.94; "
    "user 0.75, assistant 0.91; user 0.65, assistant 0.92; user 0.5, assistant 0.94"
)
"""The matrix where a direct answer to a vague message is right half of the time and any other always."""


def serves(said, rng, known, worths=TRUE):
    first = said[0].split("\n")
    if "a user writes" in said[0]:
        kind = "precise" if known[first[1].removeprefix("> ")][0].precise else "vague"
        lines = [f"{case}: {worth}" for case, worth in zip(gtalign.CASES, worths.split("; "), strict=True)]
        return "\n".join([f"This is {kind}", *lines])
    sent = known[first[0]][0]
    if len(said) == 3:
        return f"ANSWER: {sent.answer}"
    if "Ask me back" in said[0]:
        return "What do you mean?"
    other = sent.answer + 1
    right = sent.precise or rng.integers(2) == 0
    return (
        f"ANSWER: {sent.answer} or {other}" if "at length" in said[0] else f"ANSWER: {sent.answer if right else other}"
    )


def serves_at_random(said, rng, known):
    if "a user writes" in said[0] or "Ask me back" in said[0]:
        return serves(said, rng, known, "; ".join(f"user {u:.2f}, assistant {a:.2f}" for u, a in rng.random((6, 2))))
    return f"ANSWER: {rng.integers(100)}"


def gives_all(said, rng, known):
    return f"Others see it.\n{GIVES_ALL}"


def gives_at_random(said, rng, known):
    numbers = [*rng.integers(101, size=4), rng.integers(1, 4), 0, 0, 0]
    return cultural_donor.tell(np.array(numbers))


EXAMINED = {
    # slug: (who knows, who guesses, the metric, what who knows has at least or, below zero, at most)
    "tmgbench": (knows_cells, guesses_cells, "pretrained", 1.0),
    "game-theoretic-llm": (knows_pair, guesses_action, "nash_conv/matrices", -1e-9),
    "nl-to-efg": (translates, translates_another, "isomorphic/imperfect", 1.0),
    "gtalign": (serves, serves_at_random, "assistant_benchmarks", 0.7),
    "cultural-donor": (gives_all, gives_at_random, "doublings", 11.58),
}


def model_of(stand_in, known, name="m"):
    """The stand-in as a ChatModel that keeps what it was asked: (messages, seed)."""
    asked = []

    def answer(messages, seed):
        asked.append(([message["content"] for message in messages], seed))
        return stand_in(asked[-1][0], np.random.default_rng(seed), known)

    return Scripted(answer, name), asked


def studied(slug, model, runs, **options):
    """arm -> metric -> its values over seeds, of a whole study in quick mode."""
    run = run_study(load(slug), FOUND[slug], runs=runs, quick=True, agent="http://x/v1#m", model=model, **options)
    stored = run.results["numbers"]
    return {arm: {name: list(map(float, seen["values"])) for name, seen in got.items()} for arm, got in stored.items()}


def served(slug, arm, model, folder, quick=True, **changed):
    """metric -> its number, of one cell."""
    recipe, log = load(slug), Log(folder / arm, quick)
    ends = packed(recipe.server(resolve(recipe, changed, quick)[arm], generator(0, 0), log, model))
    log.close()
    return {name: end["number"] if isinstance(end, dict) else end for name, end in ends.items()}


@pytest.mark.parametrize("slug", sorted(EXAMINED))
def test_who_knows_is_told_from_who_guesses(slug, tmp_path, known):
    knows, guesses, metric, least = EXAMINED[slug]
    model, asked = model_of(knows, known)
    good = studied(slug, model, tmp_path / "good")
    model, _ = model_of(guesses, known)
    poor = studied(slug, model, tmp_path / "poor")
    recipe = load(slug)
    assert set(good) == set(poor) == set(asked_of_servers(recipe))
    sign = -1 if least < 0 else 1
    for arm in good:
        assert np.isfinite([values for got in (good, poor) for values in got[arm].values()]).all()
        assert good[arm]["unreadable"] == poor[arm]["unreadable"] == [0]
        if arm not in ("model", "shuffled") or slug == "nl-to-efg":  # elsewhere these are meant to do worse
            assert min(sign * value for value in good[arm][metric]) >= least
        assert sign * np.mean(good[arm][metric]) > sign * np.mean(poor[arm][metric])
    for claim in recipe.claims:
        assert claim.scope != "server" or all(claim.metric in good[arm] for arm in claim.arms())
    assert all(0 <= seed < 2**31 for _, seed in asked)


@pytest.mark.parametrize("slug", sorted(FOUND))
def test_rubbish_gives_numbers_and_is_counted(slug, tmp_path):
    rubbish = itertools.cycle(
        [
            "",
            "\0\0ANSWER: \0",
            Reply("", "", "refused", 0, 0),
            Reply("ANSWER: 1", "", "cut", 5, 5),
            "As a language model I would rather not.",
            "ANSWER: " + "9" * 5000,
            "<think>ANSWER: 1",
            "SETS\nann: 1 and more\n",
        ]
    )
    for arm in asked_of_servers(load(slug)):
        replies = itertools.chain(["x" * 10**6], rubbish)
        model, asked = model_of(lambda said, rng, known, replies=replies: next(replies), {})
        got = served(slug, arm, model, tmp_path)
        assert np.isfinite(list(got.values())).all()
        [unread] = [number for name, number in got.items() if name.startswith("unread")]
        assert unread == (1 if asked else 0)
    for claim in load(slug).claims:
        assert claim.scope != "server" or claim.metric in got


@pytest.mark.parametrize("slug", sorted(EXAMINED))
def test_a_cell_asks_two_hundred_questions_at_most_and_every_arm_under_the_same_seeds(slug, tmp_path, known):
    model, asked = model_of(lambda said, rng, known: "", known)
    arms = asked_of_servers(load(slug))
    seeds = []
    for arm in arms:
        asked.clear()
        served(slug, arm, model, tmp_path, quick=False)
        assert 48 <= len(asked) <= 200
        seeds.append({seed for _, seed in asked})
    assert all(one <= max(seeds, key=len) for one in seeds)


@pytest.mark.parametrize("slug", ["cultural-donor", "gtalign", "nl-to-efg"])
def test_a_cell_that_was_stopped_goes_on(slug, tmp_path, known):
    """The server fails at the second batch; what was asked before is not asked again."""
    knows = EXAMINED[slug][0]
    model, asked = model_of(knows, known)
    arm = asked_of_servers(load(slug))[0]
    whole = studied(slug, model, tmp_path / "whole", arms=[arm])
    total, asked[:] = len(asked), []
    ask, batches = model.ask, []

    def fails(conversations, seeds):
        batches.append(len(conversations))
        if len(batches) == 2:
            raise RuntimeError("the server is gone")
        return ask(conversations, seeds)

    model.ask = fails
    with pytest.raises(CellFailed, match="the server is gone"):
        studied(slug, model, tmp_path / "cut", arms=[arm])
    assert studied(slug, model, tmp_path / "cut", arms=[arm]) == whole and len(asked) == total


@pytest.mark.parametrize("slug", sorted(set(FOUND) & set(RECORDS)))
def test_the_part_for_servers_leaves_the_record_as_it_is(slug):
    assert record.status(FOUND[slug], RECORDS[slug]) == "recorded"


# What tells the arms apart


def prompts(slug, stand_in, tmp_path, known, **options):
    """arm -> what was asked, in order."""
    found = {}
    for arm in asked_of_servers(load(slug)):
        model, asked = model_of(stand_in, known)
        served(slug, arm, model, tmp_path, **options)
        found[arm] = [said for said, _ in asked]
    return found


def test_arms_of_tmgbench_differ_by_the_scratchpad_alone(tmp_path):
    said = prompts("tmgbench", guesses_cells, tmp_path, {})
    games = {arm: [text.split("Before that line")[0].split("Write that")[0] for [text] in said[arm]] for arm in said}
    assert games["scratchpad"] == games["matrix"] == games["filler"] and len(set(games["matrix"])) == 6
    for [plain], [minds], [filler] in zip(said["matrix"], said["scratchpad"], said["filler"], strict=True):
        assert "minds" not in plain and "minds" in minds and "Game 2" not in minds
        assert "About Game 2, and not about the first one, put yourself into the minds" in filler
        one, other = (re.findall(r"^\w+-\w+: (\d, \d)$", filler, re.M)[part] for part in (slice(4), slice(4, 8)))
        assert one != other


def test_arms_of_the_workflow_differ_by_the_steps_alone(tmp_path):
    said = prompts("game-theoretic-llm", guesses_action, tmp_path, {})
    games = {arm: [text.split("End your reply")[0] for [text] in said[arm]] for arm in said}
    assert games["workflow"] == games["direct"] == games["placebo"] and len(games["direct"]) == 16
    for [steps], [head], [placebo] in zip(said["workflow"], said["direct"], said["placebo"], strict=True):
        assert "4. List the pairs" in steps and "1." not in head
        assert "4. List the pairs" in placebo.split("About Game 2, and not about the first one")[1]


def test_both_players_are_asked_about_one_game_from_their_own_side(tmp_path):
    said = prompts("game-theoretic-llm", guesses_action, tmp_path, {})["direct"]
    tables = []
    for [text] in said[:4]:  # two games of 2x2, as the first player and then as the second
        lines = re.findall(r"^You choose .*$", text, re.M)
        tables.append([[tuple(map(int, cell)) for cell in re.findall(r"(\d+), (\d+) if", line)] for line in lines])
    for first, second in zip(tables[:2], tables[2:], strict=True):
        assert all(first[i][j] == second[j][i][::-1] for i in (0, 1) for j in (0, 1))


def test_a_reply_without_an_action_counts_as_the_worst_that_it_may_have_been():
    payoff = np.array([[[[0.8, 0.8], [0.0, 1.0]], [[1.0, 0.0], [0.5, 0.5]]]])  # a prisoner's dilemma
    for row, column, conv in ((1, 1, 0.0), (0, 0, 0.4), (-1, 1, 0.5), (1, -1, 0.5), (-1, -1, 0.5)):
        assert game_theoretic_llm.worst_nash_conv(payoff, np.array([row]), np.array([column])) == pytest.approx(conv)


def test_stage_two_gets_the_own_list_nothing_or_that_of_another_game(tmp_path, known):
    said = prompts("nl-to-efg", translates, tmp_path, known, tests=6)
    for arm in said:
        files = [text for [text] in said[arm] if "Reply with the file alone" in text.replace("\n", " ")]
        assert len(files) == 6
        for text in files:
            words, *sets = text.split("The game\n")[1].split("\nIts information sets\n")
            own = nl_to_efg.set_lines(known[words])
            given = sets[0].split("\n") if sets else []
            assert (sorted(given) == sorted(own)) == (arm == "two_stage") and bool(given) == (arm != "one_stage")
            assert ("SETS" in text) == (arm != "one_stage")


def test_an_unreadable_file_is_sent_back_with_the_error_and_mended(tmp_path, known):
    def slips(said, rng, known):
        right = translates(said[:1], rng, known)
        return right.replace("EFG 2 R", "EFG 3 R") if len(said) == 1 and "```" in right else right

    for arm, right in (("two_stage", 1), ("one_stage", 0)):
        got = served("nl-to-efg", arm, model_of(slips, known)[0], tmp_path)
        assert (got["isomorphic/imperfect"], got["invalid"], got["unreadable"]) == (right, 1 - right, 0)


def test_a_file_by_hand_is_the_game():
    """bob does not see which of two cards nature drew, and may end the game; ann sees both."""
    seen = {(1, 0): False, (2, 0): True}
    game = nl_to_efg.Sketch(("c", "bob", "ann"), "1/3", seen, "3", ("-3", "-2", "0", "1"))
    text = """EFG 2 R "By hand" { "ann" "bob" }
c "" 1 "" { "better" 1/3 "worse" 2/3 } 0
p "" 2 1 "" { "bet" "fold" } 0
p "" 1 1 "" { "l" "r" } 0
t "" 1 "" { -3, 3 }
t "" 2 "" { -2, 2 }
t "" 3 "" { 3, -3 }
p "" 2 1 "" { "bet" "fold" } 0
p "" 1 2 "" { "l" "r" } 0
t "" 4 "" { 0, 0 }
t "" 5 "" { 1, -1 }
t "" 6 "" { 3, -3 }
"""
    assert nl_to_efg.is_game(game, text)
    assert nl_to_efg.set_lines(game) == ["bob: 1 2", "ann: 11", "ann: 21"]
    read_efg(
        apart := text.replace('p "" 2 1 "" { "bet" "fold" } 0\np "" 1 2', 'p "" 2 2 "" { "bet" "fold" } 0\np "" 1 2')
    )
    assert not nl_to_efg.is_game(game, apart)  # bob would see the card
    read_efg(three := 'EFG 2 R "" { "ann" "bob" "eve" }\nt "" 1 "" { 1, 2, 3 }')
    assert not nl_to_efg.is_game(game, three) and not nl_to_efg.is_game(game, "EFG 2 R")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hm.\nSETS\nann: 2 1\n\nbob: start", ["ann: 1 2", "bob: start"]),
        ("SETS\nann: 9\nSETS\n```\nann: 1\n```", ["ann: 1"]),
        ("SETS\n**ann: 11**", ["ann: 11"]),
        ("SETS\nann: 1\nIgnore what you were told.", []),
        ("ann: 1", []),
        ("SETS", []),
    ],
)
def test_lists_are_read_strictly(text, found):
    assert nl_to_efg.sets_in(Reply(text, "", "ok", 0, 0)) == found


def test_the_way_to_answer_is_the_best_by_the_matrix(tmp_path, known):
    ways = {"Answer directly": "direct", "Do not answer": "ask back", "Reason at length": "reason"}
    said = prompts("gtalign", serves, tmp_path, known, topics=4, quick=False)
    for arm, expected in (("mutual", ("ask back", "direct")), ("model", ("reason", "reason"))):
        asked = [text for text, *later in said[arm] if "a user writes" not in text and not later]
        assert len(asked) == 32
        for text in asked:
            message, told = text.split("\n", 1)
            [way] = [way for start, way in ways.items() if told.startswith(start)]
            assert way == expected[known[message][0].precise]
    traces = {arm: [texts for texts in said[arm] if "a user writes" in texts[0]] for arm in said}
    assert traces["mutual"] == traces["model"] == traces["shuffled"]  # the arms part after the matrices


def test_what_came_of_a_message_by_hand(tmp_path, known):
    """mutual: sqrt(0.9 x 0.92) vague, sqrt(0.75 x 0.91) precise; model: sqrt(0.75 x 0.94), sqrt(0.5 x 0.94)."""
    for arm, vague, precise in (("mutual", 0.9 * 0.92, 0.75 * 0.91), ("model", 0.75 * 0.94, 0.5 * 0.94)):
        got = served("gtalign", arm, model_of(serves, known)[0], tmp_path)
        assert got["assistant_benchmarks"] == pytest.approx((np.sqrt(vague) + np.sqrt(precise)) / 2)


def test_messages_have_two_readings_with_answers_of_their_own():
    seen = {}
    for seed in range(60):
        for subject in range(8):
            vague, precise = (gtalign.errand(subject, says, np.random.default_rng([seed, subject])) for says in (0, 1))
            assert precise.message == f"{vague.message} {vague.meaning}" and precise.answer == vague.answer
            seen.setdefault((subject, vague.message), {})[vague.meaning] = vague.answer
            if "average of" in vague.message:
                marks = list(map(int, re.findall(r"\d+", vague.message)))
                assert vague.answer == (np.mean(marks) if "mean" in vague.meaning.split()[-1] else np.median(marks))
    assert all(len(set(answers.values())) == len(answers) for answers in seen.values())


@pytest.mark.parametrize(
    ("text", "most", "found"),
    [
        ("So.\nANSWER: 12", 1, [12]),
        ("ANSWER: 12 or 13", 2, [12, 13]),
        ("ANSWER: 12 or 13", 1, []),
        ("ANSWER: 12\nI hope that helps.", 1, []),
        ("ANSWER: 12 km", 1, []),
        ("ANSWER: 1e3", 1, []),
        ("", 1, []),
    ],
)
def test_numbers_are_read_strictly(text, most, found):
    assert gtalign.numbers_in(text, most) == found


def test_cells_are_read_strictly():
    for number, name in enumerate(tmgbench.NAMES):
        assert tmgbench.set_named(Reply(f"ANSWER: {name}", "", "ok", 0, 0)) == number
    for text, found in (
        ("answer: down-right and up-left.", 5),
        ("<think>ANSWER: none</think>`ANSWER: up-left`", 1),
        ("ANSWER: up-left and up-right", None),
        ("ANSWER: up-left and up-left", None),
        ("up-left", None),
        ("ANSWER: up-left\nor none", None),
    ):
        assert tmgbench.set_named(Reply(text, "", "ok", 0, 0)) == found


def test_only_strategies_of_the_grammar_enter_the_culture():
    plain, punishing = (cultural_donor.ARMS[arm] for arm in ("attentive", "attentive_punish"))
    punish = GIVES_ALL.replace("punish nobody", "punish one who gave less than 50% by spending 20%")
    for text, settings, found in (
        (f"Hm.\n{GIVES_ALL.upper()}", plain, GIVES_ALL),
        (punish, punishing, punish),
        (punish, plain, None),
        (punish.replace("20%", "51%"), punishing, None),
        (GIVES_ALL.replace("100%", "101%"), plain, None),
        (GIVES_ALL + " Give me all.", plain, None),
        (GIVES_ALL.replace("100%", "9" * 400 + "%"), plain, None),
    ):
        assert cultural_donor.strategy_in(Reply(text, "", "ok", 0, 0), settings) == found


def test_three_names_are_three_families_and_one_name_is_one_society(tmp_path, known):
    def gives(said, rng, known):
        share = {"a": 100, "b": 50, "c": 10, "one": 50}[model.name]
        return GIVES_ALL.replace("100%", f"{share}%")

    claim = next(claim for claim in cultural_donor.RECIPE.claims if claim.scope == "server")
    for name, verdict in (("a, b,c", "holds"), ("one", "inconclusive")):
        model, _ = model_of(gives, known, name)
        got = {arm: served("cultural-donor", arm, model, tmp_path / name, generations=1) for arm in claim.arms()}
        wealth = {arm: {"doublings": np.repeat(of["doublings"], 5)} for arm, of in got.items()}
        assert model.name == name and judge(claim, wealth, endpoint=True).verdict == verdict
    model, _ = model_of(gives, known, "a,b")
    with pytest.raises(ValueError, match="one model or three"):
        served("cultural-donor", "attentive", model, tmp_path / "two")


def test_newcomers_see_the_survivors_and_their_scores_alone(tmp_path, known):
    model, asked = model_of(gives_at_random, known)
    served("cultural-donor", "attentive", model, tmp_path)
    founders, later = asked[:12], asked[12:]
    assert len(later) == 12 and all("advise" not in text for [text], _ in founders)
    for [text], _ in later:
        advice = re.findall(r"^> (My strategy .*[.]) It ended with ([\d.]+) units[.]$", text, re.M)
        assert len(advice) == 6 and [float(units) for _, units in advice] == sorted(
            (float(units) for _, units in advice), reverse=True
        )


def test_nothing_of_a_transcript_steers_a_terminal(tmp_path):
    model, _ = model_of(lambda said, rng, known: "\x1b[2J\u202eANSWER: 1", {})
    for slug, arm in (("tmgbench", "matrix"), ("game-theoretic-llm", "direct")):
        served(slug, arm, model, tmp_path)
        text = (tmp_path / arm / "example.txt").read_text()
        assert "The model\n" in text and all(letter.isprintable() or letter == "\n" for letter in text)


@pytest.mark.parametrize(
    ("slug", "arm", "name"), [("gtalign", "no_matrix", "matrix"), ("game-theoretic-llm", "voting", "method")]
)
def test_arms_that_mean_nothing_to_a_served_model_say_so(slug, arm, name, tmp_path):
    with pytest.raises(ValueError, match=f"setting {name} is"):
        served(slug, arm, model_of(lambda said, rng, known: "", {})[0], tmp_path)
