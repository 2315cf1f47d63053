"""Our games as tasks of Inspect, evaluated by Inspect itself with its mock model."""

import numpy as np
import pytest

from ludus import games, tasks
from ludus.agents.chat import ChatPlayer
from ludus.agents.scripted import first_legal
from ludus.agents.uniform import uniform
from ludus.models.chat import Scripted

WHY = "a guest's own tests: .venv-peers/bin/python -m pytest tests/adapters"
inspect_ai = pytest.importorskip("inspect_ai", reason=WHY)
models = pytest.importorskip("inspect_ai.model", reason=WHY)
adapter = pytest.importorskip("ludus.adapters.inspect", reason=WHY)


def menu(messages):
    return messages[-1].text.rsplit("Legal actions: ", 1)[1].split("\n", 1)[0].split(", ")


def evaluated(task, answer, folder):
    """The log of an evaluation in which `answer(messages) -> (text, stop reason)` is the model."""

    def output(messages, tools, tool_choice, config):
        text, reason = answer(messages)
        said = models.ModelOutput.from_content("mockllm/model", text, stop_reason=reason)
        said.usage = models.ModelUsage()  # else the mock counts tokens by a table that it fetches from the net
        return said

    mock = models.get_model("mockllm/model", custom_outputs=output)
    [log] = inspect_ai.eval(task, model=mock, log_dir=str(folder), display="none", log_level="error")
    assert log.status == "success", log.error
    return log


def means(log):
    return {score.name: score.metrics["mean"].value for score in log.results.scores}


def test_who_always_bets_takes_the_ante_of_a_player_that_always_folds(tmp_path):
    against_first = adapter.game_task(games.load("kuhn_poker"), [None, first_legal], games=10, seed=3)
    log = evaluated(against_first, lambda messages: ("I bet. [bet]", "stop"), tmp_path)
    assert means(log) == {"payoff": 1.0, "forfeits": 0.0}  # the first legal action is to pass: a fold, facing a bet
    assert len(log.samples) == 10
    assert all(sample.metadata["answers"] == ["legal"] for sample in log.samples)


def test_the_model_is_asked_as_by_agents_chat(tmp_path):
    game, seen = games.load("leduc_poker"), []
    player = ChatPlayer(Scripted(lambda messages, seed: ""), game)

    def answer(messages):
        seen.append([message.text for message in messages])
        return f"[{menu(messages)[0]}]", "stop"

    evaluated(adapter.game_task(game, [None, uniform], games=5), answer, tmp_path)
    for texts in seen:
        assert texts[0] == player.system
        assert texts[-1].startswith("You see:\n> ") and texts[-1].endswith("Which action do you choose?")
        assert len(texts) % 2 == 0  # rules, then question and answer in turn, to the last question
    assert max(map(len, seen)) > 2


@pytest.mark.parametrize(("text", "reason", "kind"), [
    ("I will not say", "stop", "malformed"), ("[pass]", "max_tokens", "cut"), ("[pass]", "content_filter", "refused"),
    ("", "stop", "empty"), ("[pass] or [bet]", "stop", "ambiguous"), ("> [bet]", "stop", "malformed"),
])  # fmt: skip
def test_a_reply_without_an_action_forfeits_the_move_and_is_scored_apart(text, reason, kind, tmp_path):
    log = evaluated(
        adapter.game_task(games.load("kuhn_poker"), [None, uniform], 10), lambda _: (text, reason), tmp_path
    )
    for sample in log.samples:
        assert set(sample.metadata["answers"]) == {kind}
        assert sample.scores["outcome"].value["forfeits"] == len(sample.metadata["answers"]) >= 1
        assert sum(sample.metadata["payoff"]) == 0


def test_every_model_meets_the_same_deals(tmp_path):
    """The same seed deals the same cards, whatever the model does; another seed, other cards."""

    def cards(seed, action):
        log = evaluated(
            adapter.game_task(games.load("kuhn_poker"), [None, uniform], 20, seed), lambda _: (action, "stop"), tmp_path
        )
        return [sample.messages[1].text for sample in log.samples]

    assert cards(1, "[bet]") == cards(1, "[pass]")
    assert cards(1, "[bet]") != cards(2, "[bet]")
    assert len(set(cards(1, "[bet]"))) == 3


def test_a_task_in_the_second_seat_of_three(tmp_path):
    task = adapter.ludus("kuhn_poker(players=3)", seat=1, games=5)
    log = evaluated(task, lambda messages: (f"[{menu(messages)[-1]}]", "stop"), tmp_path)
    for sample in log.samples:
        assert sample.scores["outcome"].value["payoff"] == sample.metadata["payoff"][1]
        assert np.isclose(sum(sample.metadata["payoff"]), 0)


def test_seats_and_policies_are_checked():
    with pytest.raises(ValueError, match="needs a list of 2"):
        adapter.game_task(games.load("kuhn_poker"), [uniform, uniform])
    with pytest.raises(ValueError, match="players 0 to 1, not 2"):
        adapter.ludus(seat=2)


def test_inspect_finds_the_task_in_its_file(tmp_path):
    """As `inspect eval FILE@ludus -T game=leduc_poker` does."""
    log = evaluated(f"{adapter.__file__}@ludus", lambda messages: (f"[{menu(messages)[0]}]", "stop"), tmp_path)
    assert log.eval.task == "ludus_kuhn_poker" and len(log.samples) == 100
    assert means(log)["forfeits"] == 0


def test_problems_are_marked_by_the_exact_judge(tmp_path):
    task, rng = tasks.load("modular"), np.random.default_rng(0)
    found = tasks.problems(task, tasks.Test(0), level=0, count=12)
    worked = {tasks.question(task, problem): task.work(problem, rng) for problem in found}

    def answer(messages):
        [asked] = [message.text for message in messages]
        return (worked[asked] if list(worked).index(asked) % 3 else "so nothing"), "stop"

    log = evaluated(adapter.problem_task(task, tasks.Test(0), level=0, count=12), answer, tmp_path)
    assert means(log) == {"marked": pytest.approx(8 / 12)} and len(log.samples) == 12
