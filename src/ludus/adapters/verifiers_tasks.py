"""Our tasks as an environment of verifiers: one question, one reply, a verifier's score as the reward.

Brown (2025), "Verifiers: environments for LLM reinforcement learning", Prime Intellect; verifiers 0.4, `verifiers.v1`.

    env = load_environment("countdown", split="train", level=1, count=1000)

A row is a problem of a split, asked by `tasks.question`. The trace has the reward `verified`, which is the score of a
`tasks.Verifier`, and the metric `answered`: 1 where an answer could be read. The model is asked as in `verifiers.py`,
beside this file, which also says how verifiers finds its parts; the name of this module is `ludus_tasks`.
"""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

from ludus import tasks
from ludus.adapters.library import library
from ludus.adapters.verifiers import Talker

vf = library("verifiers.v1", extra="verifiers")
pydantic = library("pydantic", extra="verifiers")

__all__ = ["ProblemTaskset", "QuestionEnv", "Talker"]

sys.modules.setdefault("ludus_tasks", sys.modules[__name__])

_SPLITS = {split.__name__.lower(): split for split in (tasks.Train, tasks.Validation, tasks.Test)}
_FLAWS = {flaw.__name__: flaw for flaw in (tasks.any_form, tasks.many_answers, tasks.many_words)}


def load_environment(
    task: str, split: str = "train", level: int = 0, count: int = 100, seed: int = 0, verifier: str = "exact"
) -> Any:
    """A verifiers Env of so many problems of one task.

    split     "train", "validation" or "test"; what is measured stands in "test"
    seed      which problems of the split come first
    verifier  "exact", or the flaw of one that falls for it: "any_form", "many_answers", "many_words"

    Raises ValueError where the task, split, level or verifier does not exist, or the split has too few problems.
    """
    rows = {"task_name": task, "split": split, "level": level, "count": count, "seed": seed}
    return vf.load_environment(Solo(taskset={"id": "ludus_tasks", "task": {"verifier": verifier}} | rows))


def _verifier(task: tasks.Task, name: str) -> tasks.Verifier:
    if name != "exact" and name not in _FLAWS:
        raise ValueError(f"verifier: exact, {', '.join(_FLAWS)}; got {name[:80]!r}. Write verifier='exact'")
    return tasks.exact(task) if name == "exact" else tasks.flawed(task, _FLAWS[name])


# What verifiers reads and writes: a problem, who scores, which problems and how many, and an agent that needs no box.
_made = pydantic.create_model
Question: Any = _made(
    "Question", __base__=vf.TaskData, task_name=str, problem=Annotated[tuple, pydantic.BeforeValidator(tasks.as_key)]
)
Scoring: Any = _made("Scoring", __base__=vf.TaskConfig, verifier=(str, "exact"))
Problems: Any = _made(
    "Problems",
    __base__=vf.TasksetConfig,
    task=(Scoring, Scoring()),  # verifiers' own name for what a task is set to, so that ours has another
    task_name=(str, "countdown"),
    split=(str, "train"),
    level=(int, 0),
    count=(int, 100),
    seed=(int, 0),
)
_AGENT = vf.AgentConfig(runtime=vf.SubprocessConfig())
Solo: Any = _made("Solo", __base__=vf.SingleAgentEnvConfig, agent=(vf.AgentConfig, _AGENT))
Task: Any = vf.Task[Question, vf.State, Scoring]


class ProblemTask(Task):
    """What a reply is scored by."""

    @vf.reward
    async def verified(self, trace: Any) -> float:
        verifier = _verifier(tasks.load(self.data.task_name), self.config.verifier)
        return float(verifier.score(tasks.Problem(*self.data.problem), trace.last_reply))

    @vf.metric
    async def answered(self, trace: Any) -> float:
        task = tasks.load(self.data.task_name)
        return float(task.answer_of(tasks.Problem(*self.data.problem), trace.last_reply) is not None)


Taskset: Any = vf.Taskset[ProblemTask, Problems]


class ProblemTaskset(Taskset):
    """The problems to be solved, found at once for the errors."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.task = tasks.load(config.task_name)
        _verifier(self.task, config.task.verifier)
        if config.split not in _SPLITS:
            raise ValueError(f"split: {', '.join(_SPLITS)}; got {config.split[:80]!r}. Write split='train'")
        self.found = tasks.problems(self.task, _SPLITS[config.split](config.seed), config.level, config.count)

    def load(self) -> Iterator[Any]:
        for number, problem in enumerate(self.found):
            name = f"{self.task.name}, {self.config.split}#{number}"
            asked = [vf.UserMessage(content=tasks.question(self.task, problem))]
            data = Question(name=name, prompt=asked, task_name=self.task.name, problem=problem)
            yield ProblemTask(data, self.config.task)


SingleAgentEnv: Any = vf.SingleAgentEnv
Env: Any = vf.Env[Solo]


class QuestionEnv(SingleAgentEnv, Env):
    """verifiers' own environment of one agent, with the settings of Solo."""
