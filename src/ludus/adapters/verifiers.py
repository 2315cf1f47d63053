"""Our games as an environment of verifiers: every seat an agent, several turns, a reward for each seat.

Brown (2025), "Verifiers: environments for LLM reinforcement learning", Prime Intellect; verifiers 0.4, `verifiers.v1`.

    env = load_environment("leduc_poker", games=1000, player_1={"model": "another"})

A task is a game with a seed, which makes chance and forfeits. Each player is an agent, `player_0`, `player_1` and so
on: the model that is evaluated or trained, unless its settings name another. An agent has a conversation of its own and
is asked and read as by `agents.chat`. A reply without a legal action, cut off, or not given since a limit was reached
forfeits the move: a legal action drawn uniformly is played in its place. The trace of a seat has the reward `payoff`,
in the game's own units, and the metrics `forfeits` and `moves`; a seat that never came to move has no trace.

An agent needs no program: `Talker` asks its model from within this process, through verifiers' interception as every
harness does. verifiers finds its parts by the name of a module at the top level, so importing this file also makes
`ludus_games` a name of it. For verifiers' command line write a module of your own, of the two lines

    from ludus.adapters.verifiers import *
    from ludus.adapters.verifiers import __all__
"""

import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import numpy as np

from ludus.adapters.library import library
from ludus.adapters.wordwise import Table
from ludus.game import OVER
from ludus.games import load

vf = library("verifiers.v1", extra="verifiers")
chat = library("verifiers.v1.dialects.chat", extra="verifiers")
openai = library("openai", extra="verifiers")
pydantic = library("pydantic", extra="verifiers")

__all__ = ["GameEnv", "GameTaskset", "Talker"]

sys.modules.setdefault("ludus_games", sys.modules[__name__])

MOST = 10  # seats: verifiers wants to know all agents beforehand, and the largest games here have ten players


def load_environment(game: str, games: int = 100, seed: int = 0, **agents: dict[str, Any]) -> Any:
    """A verifiers Env of so many games of one kind.

    game    as ludus.games.load takes it: "leduc_poker", "liars_dice(dice=1, faces=2)"
    seed    game number g has the seed (seed, g)
    agents  verifiers' settings of a seat, by its name: player_1={"model": ..., "client": ...}

    Raises UnknownGame, and ValueError where an agent is no seat, players are too many, or words cannot be read back.
    """
    rules = load(game)
    Table(rules, np.random.default_rng(seed))  # now, for the errors
    if rules.players > MOST:
        raise ValueError(f"game: {game} has {rules.players} players; at most {MOST} can be seated here")
    seats = [f"player_{player}" for player in range(rules.players)]
    if wrong := sorted(set(agents) - set(seats)):
        raise ValueError(f"agents: {game} has the seats {', '.join(seats)}; leave out {', '.join(wrong)}")
    return vf.load_environment(
        Seats(taskset={"id": "ludus_games", "game": game, "games": games, "seed": seed}, **agents)
    )


TaskData: Any = vf.TaskData


class Deal(TaskData):
    """A game to be played: its name, and the seed of its chance."""

    game: str
    seed: list[int]


Task: Any = vf.Task[Deal, vf.State, vf.TaskConfig]


class GameTask(Task):
    """What the trace of a seat is judged by, when the game is over."""

    @vf.reward
    async def payoff(self, trace: Any) -> float:
        return trace.info["payoff"]

    @vf.metric
    async def forfeits(self, trace: Any) -> float:
        return trace.info["forfeits"]

    @vf.metric
    async def moves(self, trace: Any) -> float:
        return trace.info["moves"]


TasksetConfig: Any = vf.TasksetConfig


class Deals(TasksetConfig):
    """Which game, how often, from which seed."""

    game: str = "kuhn_poker"
    games: int = 100
    seed: int = 0


Taskset: Any = vf.Taskset[GameTask, Deals]


class GameTaskset(Taskset):
    """The games to be played."""

    def load(self) -> Iterator[Any]:
        config = self.config
        for number in range(config.games):
            deal = Deal(name=f"{config.game}#{number}", game=config.game, seed=[config.seed, number])
            yield GameTask(deal, config.task)


_SEAT = vf.AgentConfig(runtime=vf.SubprocessConfig())
Seats: Any = pydantic.create_model(
    "Seats", __base__=vf.EnvConfig, **{f"player_{player}": (vf.AgentConfig, _SEAT) for player in range(MOST)}
)
Env: Any = vf.Env[Seats]


class GameEnv(Env):
    """The table: it asks whose turn it is, and pays."""

    async def run(self, task: Any, agents: Any) -> None:
        game = load(task.data.game)
        table = Table(game, np.random.default_rng(task.data.seed))
        told = GameTask(task.data.model_copy(update={"system_prompt": table.rules, "prompt": None}), task.config)
        seats: dict[int, Any] = {}
        left: set[int] = set()  # who met a limit, and answers no more
        async with AsyncExitStack() as stack:
            while (player := table.player) != OVER:
                if player not in seats:
                    agent = getattr(agents, f"player_{player}")
                    seats[player] = await stack.enter_async_context(agent.interaction(told))
                text, status = "", "ok"
                if player not in left:
                    segment, trace = await seats[player].turn(table.question()), seats[player].trace
                    if trace.errors:  # the episode fails, and nobody is paid
                        raise RuntimeError(f"player {player} could not be asked: {trace.errors[-1].message}")
                    text = segment.last_reply
                    if segment.terminated:
                        left.add(player)
                    elif trace.calls and trace.calls[-1].finish_reason == "length":
                        status = "cut"
                if table.hear(text, status).kind != "legal":
                    table.forfeit()
            for player, seat in seats.items():  # before the seats are closed, and judged by this
                seat.trace.info |= {
                    "payoff": float(table.payoff()[player]),
                    "forfeits": float(table.forfeits[player]),
                    "moves": float(table.moves[player]),
                }


HarnessConfig: Any = vf.HarnessConfig


class TalkerConfig(HarnessConfig):
    """A Talker has no settings but those of every harness."""


Harness: Any = vf.Harness[TalkerConfig]


class Talker(Harness):
    """An agent that only talks: each turn is one call of the model, made from this process."""

    APPENDS_SYSTEM_PROMPT = True
    SUPPORTS_RESUME = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(
        self, ctx: Any, trace: Any, runtime: Any, endpoint: str, secret: str, mcp_urls: dict[str, str], data: Any
    ) -> Any:
        system, prompt = self.resolve_prompt(data)
        messages = [{"role": "system", "content": system}] if system else []
        messages += [chat.message_to_wire(message) for message in prompt]
        try:
            async with openai.AsyncOpenAI(base_url=endpoint, api_key=secret, max_retries=0) as client:
                reply = await client.chat.completions.create(model=ctx.model, messages=messages)
        except openai.APIError as fault:  # verifiers has the reason on the trace, or makes one of this
            return vf.ProgramResult(1, "", str(fault))
        return vf.ProgramResult(0, reply.choices[0].message.content or "", "")
