"""Our games as PettingZoo environments: in turns (AEC), or at the same time (Parallel) where moves are simultaneous.

Terry et al. (2021), "PettingZoo: Gym for multi-agent reinforcement learning", arXiv:2009.14471; PettingZoo 1.27.

Their words and ours: an agent "player_0" is player 0, its observation {"observation": view int64[V], "action_mask":
int8[A]}, its reward 0 until the game is over and then its payoff. Chance moves by itself, by a generator that
`reset(seed)` makes; without a seed the generator of the last reset goes on. Nothing is ever truncated.

An illegal action raises IllegalAction and changes nothing. PettingZoo's TerminateIllegalWrapper makes it a forfeit.

Not here: their environments as our games. Such an environment cannot be copied in the middle of a game, does not list
what chance may do and shows arrays of any type, so that neither kernels nor a Tree can be made of it.
"""

from typing import Any

import numpy as np

from ludus.adapters import stepwise
from ludus.adapters.library import library
from ludus.game import CHANCE, OVER, Game

pettingzoo = library("pettingzoo", extra="pettingzoo")
AECEnv: Any = pettingzoo.AECEnv
ParallelEnv: Any = pettingzoo.ParallelEnv
spaces = library("gymnasium.spaces", extra="pettingzoo")

PROBED = 20  # random games in which a game must prove that it is played in rounds


class NotSimultaneous(ValueError):
    """The game is not played in rounds in which every player moves once and sees nothing of the others' moves."""


def aec_env(game: Game) -> Any:
    """The game as a pettingzoo.AECEnv. Players act in the order of the rules, which may let one act twice in a row."""
    return _Turns(game)


def parallel_env(game: Game) -> Any:
    """The game as a pettingzoo.ParallelEnv: each step is a round, in which all players move without seeing the others.

    Raises NotSimultaneous where the game is not played so: found out in random games now, and again in every round that
    is played. A game in turns is an `aec_env`; PettingZoo's own turn_based_aec_to_parallel can wrap that.
    """
    env = _Rounds(game)
    rng = np.random.default_rng(0)  # of this probe alone: which games are looked at does not depend on the caller
    for _ in range(PROBED):
        state = game.start.copy()
        stepwise.settle(game, state, rng)
        while stepwise.turn(game, state) != OVER:
            able = {player: np.flatnonzero(legal) for player, (_, legal) in _round(game, state).items()}
            for player, actions in able.items():
                for action in actions:
                    _round(game, state, {player: int(action)})
            state = _after(game, state, {player: int(rng.choice(actions)) for player, actions in able.items()})
            stepwise.settle(game, state, rng)
    return env


class _Spaces:
    """What both kinds of environment share: the agents, their spaces, and what they observe."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.metadata = {"name": game.name, "render_modes": ["ansi"], "is_parallelizable": False}
        self.render_mode = "ansi"
        self.possible_agents = [f"player_{player}" for player in range(game.players)]
        self.agents: list[str] = []
        self.observation_spaces = {agent: self._observations() for agent in self.possible_agents}
        self.action_spaces = {agent: spaces.Discrete(game.actions) for agent in self.possible_agents}
        self._rng: np.random.Generator | None = None
        self._state = game.start.copy()

    def _observations(self) -> Any:
        view = spaces.Box(-stepwise.WIDEST, stepwise.WIDEST, (self.game.view_size,), np.int64)
        return spaces.Dict({"observation": view, "action_mask": spaces.Box(0, 1, (self.game.actions,), np.int8)})

    def observation_space(self, agent: str) -> Any:
        """The same object at every call, as PettingZoo asks."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """The same object at every call, as PettingZoo asks."""
        return self.action_spaces[agent]

    def _begin(self, seed: int | None) -> None:
        if seed is not None or self._rng is None:
            self._rng = np.random.default_rng(seed)
        self.agents, self._state = list(self.possible_agents), self.game.start.copy()
        stepwise.settle(self.game, self._state, self._rng)

    def _pays(self) -> dict[str, float]:
        return dict(zip(self.possible_agents, stepwise.payoff(self.game, self._state).tolist(), strict=True))

    def _observed(self, player: int, able: np.ndarray) -> dict[str, np.ndarray]:
        seen = stepwise.view(self.game, self._state, player)
        return {"observation": seen, "action_mask": able.astype(np.int8)}

    def render(self) -> str:
        """What the player to move sees, in words; the payoffs when it is over."""
        player = stepwise.turn(self.game, self._state)
        if player == OVER:
            return "payoff: " + ", ".join(f"{agent} {paid:+g}" for agent, paid in self._pays().items())
        return f"player_{player} sees {self.game.tell(stepwise.view(self.game, self._state, player))}"

    def close(self) -> None:
        """Nothing is held open."""


class _Turns(_Spaces, AECEnv):
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """A new game. There are no options."""
        self._begin(seed)
        self.rewards, self._cumulative_rewards = dict.fromkeys(self.agents, 0.0), dict.fromkeys(self.agents, 0.0)
        self.terminations, self.truncations = dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self._skip_agent_selection = None
        self._select()

    def step(self, action: int | None) -> None:
        """One action of the selected agent; None where it is out of the game."""
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        stepwise.act(self.game, self._state, action)
        assert self._rng is not None
        stepwise.settle(self.game, self._state, self._rng)
        self._cumulative_rewards[agent] = 0.0
        self.rewards = self._pays()
        self._accumulate_rewards()
        self._select()

    def _select(self) -> None:
        player = stepwise.turn(self.game, self._state)
        self.terminations = dict.fromkeys(self.agents, player == OVER)
        self.agent_selection = self.agents[max(player, 0)]

    def observe(self, agent: str) -> dict[str, np.ndarray]:
        """The view of an agent, and its legal actions where it is the one to move."""
        player = self.possible_agents.index(agent)
        moves = stepwise.turn(self.game, self._state) == player
        return self._observed(player, stepwise.legal(self.game, self._state) & moves)


class _Rounds(_Spaces, ParallelEnv):
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """A new game -> observations and infos. There are no options."""
        self._begin(seed)
        return self._observations_now(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        """One round, an action per agent -> observations, rewards, terminations, truncations, infos."""
        if set(actions) != set(self.agents):
            raise ValueError(f"actions: an action for each of {self.agents} is needed, given are {sorted(actions)}")
        if not self.agents:
            raise ValueError("actions: the game is over; call reset() before the next round")
        chosen = {self.possible_agents.index(agent): action for agent, action in actions.items()}
        _round(self.game, self._state, chosen)
        self._state = _after(self.game, self._state, chosen)
        assert self._rng is not None
        stepwise.settle(self.game, self._state, self._rng)
        agents, over = self.agents, stepwise.turn(self.game, self._state) == OVER
        answer = self._observations_now(), self._pays(), dict.fromkeys(agents, over), dict.fromkeys(agents, False)
        self.agents = [] if over else agents
        return *answer, {agent: {} for agent in agents}

    def _observations_now(self) -> dict[str, dict[str, np.ndarray]]:
        if stepwise.turn(self.game, self._state) == OVER:
            nothing = np.zeros(self.game.actions, bool)
            return {agent: self._observed(player, nothing) for player, agent in enumerate(self.possible_agents)}
        return {
            f"player_{player}": {"observation": view, "action_mask": able.astype(np.int8)}
            for player, (view, able) in sorted(_round(self.game, self._state).items())
        }


def _round(game, state, chosen=None):
    """What each player sees and may do in the round that begins here: {player: (view int64[V], legal bool[A])}.

    chosen  {player: action}. Raises NotSimultaneous where these actions change what anybody sees or may do in this very
            round, or where not every player moves once in it; IllegalAction where one is not legal
    """
    seen = _moves(game, state, {})
    for player, (view, able) in _moves(game, state, chosen).items() if chosen else ():
        if not (np.array_equal(view, seen[player][0]) and np.array_equal(able, seen[player][1])):
            raise NotSimultaneous(
                f"game: in {game.name} player {player} at {game.tell(view)!r} sees something of what was chosen in "
                "the same round, so the moves are not simultaneous; use aec_env(game)"
            )
    return seen


def _moves(game, state, chosen):
    """What each player sees and may do while they move in turn, each taking its chosen or else its first action."""
    state, seen = state.copy(), {}
    while (player := stepwise.turn(game, state)) >= 0 and player not in seen:
        able = stepwise.legal(game, state)
        seen[player] = stepwise.view(game, state, player), able
        stepwise.act(game, state, chosen.get(player, int(np.argmax(able))))
    if len(seen) < game.players:
        event = {CHANCE: "chance moves", OVER: "the game ends"}.get(player, f"player {player} moves twice")
        raise NotSimultaneous(
            f"game: in {game.name} {event} before all {game.players} players have moved once, so the moves are not "
            "simultaneous; use aec_env(game)"
        )
    return seen


def _after(game, state, chosen):
    """The state after a round: each player in its turn takes its chosen action."""
    state = state.copy()
    for _ in chosen:
        stepwise.act(game, state, chosen[stepwise.turn(game, state)])
    return state
