"""One seat of a game as a Gymnasium environment; policies of yours sit on the other seats.

Towers et al. (2024), "Gymnasium: a standard interface for reinforcement learning environments", arXiv:2407.17032;
Gymnasium 1.4.

Their words and ours: the observation is the seat's view int64[V], the reward 0 until the game is over and then the
seat's payoff; info["action_mask"] int8[A] holds what is legal. The others and chance move by themselves, with the
environment's own generator `np_random`, so that `reset(seed)` and the same actions give the same episode. A game ends
by its rules (terminated) and never otherwise: truncated is always False.

An illegal action raises IllegalAction and changes nothing; sample with `env.action_space.sample(info["action_mask"])`.

Not here: a Gymnasium environment as a game of ours. It has one player and does not list what chance may do.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ludus.adapters import stepwise
from ludus.adapters.library import library
from ludus.game import OVER, Game
from ludus.play import Chooser
from ludus.records import Policy

gymnasium = library("gymnasium", extra="gymnasium")
Env: Any = gymnasium.Env

REDRAWN = 1000  # games in a row that may end without a decision of the seat


def seat_env(game: Game, seat: int, others: Sequence[Policy | Chooser | None]) -> Any:
    """The game from one seat, as a gymnasium.Env.

    others  a policy per player, as `ludus.play.play` takes them; the one at `seat` is None

    Raises ValueError where seat or others do not fit the game.
    """
    return _Seat(game, seat, others)


class _Seat(Env):
    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012  Gymnasium reads it from the class
    render_mode = "ansi"

    def __init__(self, game: Game, seat: int, others: Sequence[Policy | Chooser | None]) -> None:
        if not 0 <= seat < game.players:
            raise ValueError(f"seat: {game.name} has players 0 to {game.players - 1}, not {seat!r}")
        empty = [player for player, policy in enumerate(others) if policy is None]
        if len(others) != game.players or empty != [seat]:
            raise ValueError(
                f"others: {game.name} needs a list of {game.players}, a policy for each player and None at seat "
                f"{seat}; {len(others)} given, None at {empty}"
            )
        self.game, self.seat, self.others = game, seat, list(others)
        self.action_space = gymnasium.spaces.Discrete(game.actions)
        self.observation_space = gymnasium.spaces.Box(-stepwise.WIDEST, stepwise.WIDEST, (game.view_size,), np.int64)
        self._state = game.start.copy()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """A new game, up to the seat's first decision. There are no options.

        A game that ends before the seat has decided anything gives nothing to learn from and is drawn again;
        info["redrawn"] says how many were, since a mean over episodes leaves them out. Raises ValueError after
        REDRAWN of them.
        """
        super().reset(seed=seed)
        for redrawn in range(REDRAWN):
            self._state = self.game.start.copy()
            self._go_on()
            if stepwise.turn(self.game, self._state) == self.seat:
                return self._seen(), self._info() | {"redrawn": redrawn}
        raise ValueError(
            f"seat: {REDRAWN} games of {self.game.name} ended before player {self.seat} could decide anything; choose "
            "another seat, or other policies for the others"
        )

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        """One action of the seat, and what the others and chance do until its next decision or the end."""
        stepwise.act(self.game, self._state, action)
        self._go_on()
        over = stepwise.turn(self.game, self._state) == OVER
        reward = float(stepwise.payoff(self.game, self._state)[self.seat])
        return self._seen(), reward, over, False, self._info()

    def render(self) -> str:
        """What the seat sees, in words; all payoffs when it is over."""
        if stepwise.turn(self.game, self._state) == OVER:
            paid = stepwise.payoff(self.game, self._state)
            return "payoff: " + ", ".join(f"player {player} {number:+g}" for player, number in enumerate(paid))
        return f"player {self.seat} sees {self.game.tell(self._seen())}"

    def _go_on(self) -> None:
        """Chance and the others move, until the seat is to move or the game is over."""
        stepwise.settle(self.game, self._state, self.np_random)
        while (player := stepwise.turn(self.game, self._state)) not in (self.seat, OVER):
            policy = self.others[player]
            assert policy is not None
            stepwise.act(self.game, self._state, stepwise.choose(self.game, self._state, policy, self.np_random))
            stepwise.settle(self.game, self._state, self.np_random)

    def _seen(self) -> np.ndarray:
        return stepwise.view(self.game, self._state, self.seat)

    def _info(self) -> dict[str, Any]:
        return {"action_mask": stepwise.legal(self.game, self._state).astype(np.int8)}
