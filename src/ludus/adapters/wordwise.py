"""A game stepped from outside in words, one reply at a time, as the loops of libraries for language models want it.

What is told and how replies are read is that of `agents.chat` and `agents.replies`: a model is asked the same here as
there. A reply without a legal action changes nothing; whoever holds the loop asks again, or says `forfeit`, and then a
legal action drawn uniformly is played in its place: every game ends, and is paid by its own rules.
"""

import numpy as np

from ludus.adapters import stepwise
from ludus.agents.chat import ChatPlayer
from ludus.agents.replies import Answer, labels, read
from ludus.game import Game, Kernels
from ludus.models.chat import Scripted
from ludus.play import Chooser
from ludus.records import Policy

NOBODY = Scripted(lambda messages, seed: "", name="nobody")  # never asked: only the words of a ChatPlayer are used


class Table:
    """One game in progress. Chance and forfeits draw from rng.

    player    who is to move, or OVER; chance has always moved already
    forfeits  int64[P], moves forfeited so far
    moves     int64[P], moves made so far, the forfeited ones among them

    Raises ValueError where the words of the game cannot be read back from a reply.
    """

    def __init__(self, game: Game, rng: np.random.Generator) -> None:
        self.game, self.player = _uncompiled(game), 0
        self.forfeits, self.moves = np.zeros(game.players, np.int64), np.zeros(game.players, np.int64)
        self._rng, self._state = rng, game.start.copy()
        self._numbers, self._told = labels(game.words), ChatPlayer(NOBODY, game)
        self._settle()

    @property
    def rules(self) -> str:
        """The first message to a player: rules, actions, and the form of an answer."""
        return self._told.system

    def question(self) -> str:
        """The message to the player to move: what it sees, every line of it quoted, and what it may do."""
        view = stepwise.view(self.game, self._state, self.player)
        return self._told.question(view, stepwise.legal(self.game, self._state))

    def hear(self, text: str, status: str = "ok") -> Answer:
        """Read a reply of the player to move; where it is legal, it is played. status as in models.chat.Reply."""
        answer = read(text, self._numbers, stepwise.legal(self.game, self._state), status)
        if answer.kind == "legal":
            self.act(answer.action)
        return answer

    def forfeit(self) -> int:
        """The player to move gave no legal action: one is drawn uniformly and played. Returns its number."""
        action = int(self._rng.choice(np.flatnonzero(stepwise.legal(self.game, self._state))))
        self.forfeits[self.player] += 1
        self.act(action)
        return action

    def act(self, action: int) -> None:
        """The player to move does this, and chance what follows. Raises IllegalAction."""
        stepwise.act(self.game, self._state, action)
        self.moves[self.player] += 1
        self._settle()

    def choose(self, policy: Policy | Chooser) -> None:
        """The player to move does what a policy of ours would."""
        self.act(stepwise.choose(self.game, self._state, policy, self._rng))

    def payoff(self) -> np.ndarray:
        """float64[P]; zeros before the end."""
        return stepwise.payoff(self.game, self._state)

    def _settle(self) -> None:
        stepwise.settle(self.game, self._state, self._rng)
        self.player = stepwise.turn(self.game, self._state)


def _uncompiled(game: Game) -> Game:
    """The game with kernels in plain Python: a move in words needs no speed, and loading compiled ones takes 0.5 s."""
    return game._replace(kernels=Kernels(*(getattr(kernel, "py_func", kernel) for kernel in game.kernels)))
