"""Our tasks asked in verifiers: its rollouts, its interception, and a scripted model behind a real address."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from ludus import tasks

WHY = "a guest's own tests: .venv-peers/bin/python -m pytest tests/adapters"
pytest.importorskip("verifiers.v1", reason=WHY)
adapter = pytest.importorskip("ludus.adapters.verifiers_tasks", reason=WHY)
load_environment = adapter.load_environment

from tests.adapters.test_verifiers import played, told  # noqa: E402  its library is there only now

COUNTDOWN = tasks.load("countdown")
WRONG = "so 1 + 1"  # an answer of the right form, to no problem of three numbers


def paid(env, replies):
    """What each problem in turn brings, (verified, answered), where the model gives these replies in turn."""
    left = iter(replies)
    episodes = played(env, lambda model, messages: (200, next(left), "stop"))
    assert all(episode.ok for episode in episodes), [episode.errors for episode in episodes]
    traces = [trace for episode in episodes for trace in episode.traces]
    return [(trace.rewards["verified"].score, trace.metrics["answered"]) for trace in traces]


def test_a_right_reply_is_paid_and_no_other():
    found = tasks.problems(COUNTDOWN, tasks.Train(2), level=1, count=5)
    right = [COUNTDOWN.work(problem, np.random.default_rng(0)) for problem in found]
    replies = [right[0], WRONG, "", "I will not say.", right[4] + " or not"]
    env = load_environment("countdown", level=1, count=5, seed=2)
    assert paid(env, replies) == [(1, 1), (0, 1), (0, 0), (0, 0), (0, 0)]


def test_each_problem_of_the_split_is_asked_once_in_one_turn():
    env = load_environment("countdown", split="test", level=1, count=4, seed=3)
    found = tasks.problems(COUNTDOWN, tasks.Test(3), level=1, count=4)
    episodes = played(env, lambda model, messages: (200, WRONG, "stop"))
    assert [told(trace) for episode in episodes for trace in episode.traces] == [
        [{"role": "user", "content": tasks.question(COUNTDOWN, problem)}, {"role": "assistant", "content": WRONG}]
        for problem in found
    ]
    assert {tasks.tenth(row.data.problem[0]) for row in env.taskset} == {9}


def test_a_verifier_with_a_flaw_is_a_setting():
    [problem] = tasks.problems(COUNTDOWN, tasks.Train(0), level=1, count=1)
    hedged = f"so {COUNTDOWN.work(problem, np.random.default_rng(0)).split('so ')[1]} {WRONG}"
    prices = {
        name: [paid(load_environment("countdown", level=1, count=1, verifier=name), [reply])[0][0]
               for reply in (WRONG, hedged)]
        for name in ("exact", "any_form", "many_answers")
    }  # fmt: skip
    assert prices == {"exact": [0, 0], "any_form": [1, 1], "many_answers": [0, 1]}


@pytest.mark.parametrize("name", tasks.names())
def test_a_row_of_every_task_outlives_a_trip_through_json(name):
    """So do rows that reach a worker of a trainer."""
    task = tasks.load(name)
    [problem] = tasks.problems(task, tasks.Train(0), level=1, count=1)
    [row] = load_environment(name, level=1, count=1).taskset
    read = type(row.data).model_validate_json(row.data.model_dump_json())
    assert tasks.Problem(*read.problem) == problem
    for reply, score in ((task.work(problem, np.random.default_rng(0)), 1), ("so", 0)):
        assert asyncio.run(adapter.ProblemTask(read).verified(SimpleNamespace(last_reply=reply))) == score


def test_a_server_that_fails_fails_the_episode_and_pays_nothing():
    [episode] = played(load_environment("countdown", count=1), lambda model, messages: (500, "broken", "stop"))
    assert not episode.ok and not any(trace.reward for trace in episode.traces)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"task": "countdwn"}, "no task is named 'countdwn'; did you mean countdown"),
        ({"split": "dev"}, "split: train, validation, test; got 'dev'"),
        ({"level": 9}, "level: countdown has levels 0 to 3; got 9"),
        ({"count": -1}, "count: at least 0; got -1"),
        ({"seed": -1}, "the seed is a whole number of at least 0"),
        ({"verifier": "mine"}, "verifier: exact, any_form, many_answers, many_words; got 'mine'"),
        ({"task": "modular", "count": 10**5}, "modular at level 0 has about"),
    ],
)
def test_bad_arguments_have_one_clear_error(wrong, said):
    with pytest.raises(ValueError, match=said) as error:
        load_environment(**({"task": "countdown"} | wrong))
    assert type(error.value) is ValueError
