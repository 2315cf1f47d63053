"""Our tasks for TRL's trainers: a data set of problems and the exact verifier as a reward function.

von Werra et al. (2020), "TRL: Transformer Reinforcement Learning"; trl 1.16, `GRPOTrainer` and its kin.
A row holds the prompt and what the verifier must know, so the reward needs nothing but what TRL hands it.
"""

import json
from typing import Any

from ludus.adapters.library import library
from ludus.tasks import Problem, Split, Task, Verifier, as_key, problems, question

datasets = library("datasets", extra="trl")


def task_dataset(task: Task, split: Split, level: int, count: int, chat: bool = True) -> Any:
    """A datasets.Dataset of `count` problems, with the columns prompt and problem.

    chat  the prompt is a message, `tasks.question`, for models that follow instructions; False: the
          problem's bare words, for a small model of one's own

    Raises ValueError where the split has no such number of problems.
    """
    rows = []
    for problem in problems(task, split, level, count):
        asked = [{"role": "user", "content": question(task, problem)}] if chat else problem.prompt
        rows.append({"prompt": asked, "problem": json.dumps([problem.prompt, problem.key, problem.level])})
    return datasets.Dataset.from_list(rows)


def task_reward(verifier: Verifier) -> Any:
    """A reward function as TRL's trainers take them: (completions, problem, ...) -> the verifier's score of each."""

    def reward(completions: list[Any], problem: list[str], **_: Any) -> list[float]:
        texts = [each if isinstance(each, str) else each[-1]["content"] or "" for each in completions]
        return [verifier.score(_problem(one), text) for one, text in zip(problem, texts, strict=True)]

    reward.__name__ = verifier.name  # the name under which TRL logs it
    return reward


def _problem(text: str) -> Problem:
    prompt, key, level = json.loads(text)
    return Problem(prompt, as_key(key), level)
