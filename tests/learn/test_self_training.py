"""Self-training: what is kept, what is imitated; a model learns a task from demonstrations and then from itself."""

import numpy as np
import pytest
import torch

from ludus import tasks
from ludus.learn.objective import score
from ludus.learn.rollout import given, select
from ludus.learn.self_training import Answers, answers, demonstrations, imitate, keep, start, taught
from ludus.models.transformer import Size, Transformer
from ludus.models.words import Words
from ludus.tasks import Problem, Task, Test

LARGER = Task(
    name="larger",
    source="made for this test",
    rules="Say the larger of two numbers.",
    words=("0", "1", "2", "3", "so"),
    levels=1,
    draw=lambda rng, level: Problem(" ".join(map(str, rng.integers(0, 4, 2))), (), level),
    work=lambda problem, rng: f"so {right(problem)}",
    check=lambda problem, answer: float(answer == right(problem)),
    answer_of=lambda problem, reply: reply.split()[-1] if reply.split() else None,
)


def right(problem):
    return max(problem.prompt.split())


def test_keeping():
    replies = ["a", "b", "a", "c", "d", "b", "e", "f"]
    found = Answers(given(np.zeros((8, 0), int), np.zeros((8, 1), int)), np.array([0, 0, 0, 0, 1, 1, 1, 2]), replies)
    scores = np.array([1, 0.9, 1, 0.95, 1, 0.2, 1, 0.4])
    assert keep(found, scores, at_least=0.9, most=2).tolist() == [0, 3, 4, 6]
    assert keep(found, scores, at_least=0.0, most=9).tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert keep(found, scores, at_least=1.0, most=1).tolist() == [0, 4]
    assert keep(found, scores, at_least=1.1, most=1).tolist() == []


def test_a_model_learns_from_an_expert_then_sharpens_itself():
    rng = np.random.default_rng(0)
    words = Words(LARGER.words)
    problems = [Problem(f"{one} {two}", (), 0) for one in range(4) for two in range(4)]
    model = taught(LARGER, words, problems, Size(1, 32, 2, 8, words.size), rng, steps=60, batch=16)
    optimiser = torch.optim.AdamW(model.parameters(), 0.01)

    def mean_score():
        found = answers(model, words, problems, np.random.default_rng(1), count=32, longest=4)
        assert found.problem.tolist() == np.repeat(np.arange(16), 32).tolist() and len(found.reply) == 512
        scores = [LARGER.check(problems[which], LARGER.answer_of(problems[which], reply) or "")
                 for which, reply in zip(found.problem, found.reply, strict=True)]  # fmt: skip
        return found, np.array(scores)

    found, marks = mean_score()
    assert 0.4 < marks.mean() < 0.9
    for _ in range(8):
        mine = select(found.rollouts, keep(found, marks, at_least=1.0, most=1))
        imitate(model, optimiser, mine, rng, steps=10, batch=32)
        found, marks = mean_score()
    assert marks.mean() > 0.95


def test_imitation_is_the_mean_over_written_tokens_and_asks_for_examples():
    rng = np.random.default_rng(0)
    words = Words(LARGER.words)
    model = Transformer(Size(1, 16, 2, 8, words.size), rng)
    examples = given(words.rows(["0 1", "2"]), words.rows(["so 1", "2"], ended=True))
    now = score(model, examples)
    expected = -float(now.log_prob.sum()) / 5  # so, 1, end; 2, end
    frozen = torch.optim.SGD(model.parameters(), 0.0)
    assert imitate(model, frozen, examples, rng, steps=1, batch=2) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="examples: there is none"):
        imitate(model, frozen, select(examples, np.zeros(0, int)), rng, steps=1, batch=2)


@pytest.mark.parametrize("task", tasks.names())
def test_a_start_has_room_for_every_problem_and_learns_its_task(task):
    """Exams have other problems, maybe longer ones; the model reads them, and knows worked replies."""
    begun = start(task, 0, 1, 16, 30, 8, np.random.default_rng(0), problems=64)
    exam = tasks.problems(begun.task, Test(begun.seed), 0, 16)
    assert not {problem.prompt for problem in exam} & {problem.prompt for problem in begun.problems}
    found = answers(begun.model, begun.words, exam, np.random.default_rng(1), 1, 8)
    assert len(found.reply) == 16
    worked = demonstrations(begun.task, begun.words, begun.problems, np.random.default_rng(2))
    with torch.no_grad():
        now = score(begun.model, worked)
    assert float(now.log_prob.sum() / now.written.sum()) > -np.log(len(begun.task.words))
    again = start(task, 0, 1, 16, 30, 8, np.random.default_rng(0), problems=64).model.state_dict()
    assert all(torch.equal(weight, again[name]) for name, weight in begun.model.state_dict().items())
