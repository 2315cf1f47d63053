"""Our games and tasks in Inspect: a data set of deals, a solver that plays them, a scorer that tells payoff from form.

UK AI Security Institute (2024), "Inspect", inspect.aisi.org.uk; Inspect 0.3.

    inspect_ai.eval(game_task(load("leduc_poker"), [None, uniform]), model="openai/gpt-5")
    inspect_ai.eval(problem_task(tasks.load("countdown"), Test(0), level=1, count=100), model="openai/gpt-5")

The evaluated model sits on one seat, policies of ours on the others. A sample is a game; its seed, which is part of it,
makes chance, the other players and forfeits, so that every model meets the same deals. The model keeps its conversation
through a game; it is asked and read as by `agents.chat`. A reply without a legal action forfeits the move: a legal
action drawn uniformly is played in its place.

Scores are `payoff`, in the game's own units, and `forfeits`, how many moves of a game were forfeited; each with mean
and standard error over games. On a command line: inspect eval src/ludus/adapters/inspect.py@ludus -T game=leduc_poker
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ludus.adapters.library import library
from ludus.adapters.wordwise import Table
from ludus.agents.uniform import uniform
from ludus.game import OVER, Game
from ludus.games import load
from ludus.play import Chooser
from ludus.records import Policy
from ludus.tasks import Judge, Problem, Split, Task, judge, problems, question

inspect_ai = library("inspect_ai", extra="inspect")
model = library("inspect_ai.model", extra="inspect")
scorer = library("inspect_ai.scorer", extra="inspect")
solver = library("inspect_ai.solver", extra="inspect")
dataset = library("inspect_ai.dataset", extra="inspect")
task: Any = inspect_ai.task  # Inspect finds tasks in a file by the bare name of this decorator

STATUS = {"max_tokens": "cut", "model_length": "cut", "content_filter": "refused"}  # their stop reasons, our statuses


@task
def ludus(game: str = "kuhn_poker", seat: int = 0, games: int = 100, seed: int = 0) -> Any:
    """A game by name, the evaluated model at `seat` and uniform players on the others."""
    rules = load(game)
    if not 0 <= seat < rules.players:
        raise ValueError(f"seat: {game} has players 0 to {rules.players - 1}, not {seat!r}")
    others: list[Policy | Chooser | None] = [uniform] * rules.players
    others[seat] = None
    return game_task(rules, others, games, seed)


def game_task(game: Game, others: Sequence[Policy | Chooser | None], games: int = 100, seed: int = 0) -> Any:
    """An inspect_ai.Task of so many games.

    others  a policy per player, None at the seat of the evaluated model
    seed    game number g has the seed (seed, g)

    Raises ValueError where others do not fit the game.
    """
    empty = [player for player, policy in enumerate(others) if policy is None]
    if len(others) != game.players or len(empty) != 1:
        raise ValueError(
            f"others: {game.name} needs a list of {game.players}, a policy for each player but one, and None at that; "
            f"{len(others)} given, None at {empty}"
        )
    seat = empty[0]
    rules = Table(game, np.random.default_rng(seed)).rules
    samples = [
        dataset.Sample(id=number, input=rules, metadata={"game": game.name, "seat": seat, "seed": [seed, number]})
        for number in range(games)
    ]

    @solver.solver
    def play_out() -> Any:
        async def solve(state: Any, generate: Any) -> Any:
            return await _solve(game, others, state, generate)

        return solve

    deals = dataset.MemoryDataset(samples, name=game.name)
    return inspect_ai.Task(name=f"ludus_{game.name}", dataset=deals, solver=play_out(), scorer=outcome())


def problem_task(task: Task, split: Split, level: int, count: int) -> Any:
    """An inspect_ai.Task of so many problems, each a question of one turn, marked by the exact judge.

    Raises ValueError where the split has no such number of problems.
    """
    found = problems(task, split, level, count)
    samples = [dataset.Sample(id=number, input=question(task, problem)) for number, problem in enumerate(found)]
    name = f"{type(split).__name__.lower()} problems of {task.name}"
    return inspect_ai.Task(
        name=f"ludus_{task.name}",
        dataset=dataset.MemoryDataset(samples, name=name),
        solver=solver.generate(),
        scorer=marked(judge(task), found),
    )


@scorer.scorer(metrics=[scorer.mean(), scorer.stderr()])
def marked(judge: Judge, found: Sequence[Problem]) -> Any:
    """The judge's mark of the reply to problem number `sample id`."""

    async def score(state: Any, target: Any) -> Any:
        reply = state.output.completion
        return scorer.Score(value=judge.mark(found[state.sample_id], reply), answer=reply)

    return score


async def _solve(game: Game, others: Sequence[Policy | Chooser | None], state: Any, generate: Any) -> Any:
    """Play one game to its end; what came of it goes into the sample's metadata."""
    table = Table(game, np.random.default_rng(state.metadata["seed"]))
    state.messages = [model.ChatMessageSystem(content=table.rules)]
    answers = []
    while table.player != OVER:
        policy = others[table.player]
        if policy is not None:
            table.choose(policy)
            continue
        state.messages.append(model.ChatMessageUser(content=table.question()))
        state = await generate(state, tool_calls="none")
        answers.append(table.hear(state.output.completion, STATUS.get(state.output.stop_reason, "ok")).kind)
        if answers[-1] != "legal":
            table.forfeit()
    state.metadata |= {"payoff": table.payoff().tolist(), "answers": answers}
    return state


@scorer.scorer(metrics={"payoff": [scorer.mean(), scorer.stderr()], "forfeits": [scorer.mean(), scorer.stderr()]})
def outcome() -> Any:
    """The payoff at the model's seat, and how many of its moves it forfeited."""

    async def score(state: Any, target: Any) -> Any:
        answers = state.metadata["answers"]
        value = {
            "payoff": state.metadata["payoff"][state.metadata["seat"]],
            "forfeits": sum(answer != "legal" for answer in answers),
        }
        return scorer.Score(value=value, explanation=", ".join(answers))

    return score
