"""TextArena, both ways: our games as its environments of words, its games played by language players of ours.

Guertler et al. (2025), "TextArena", arXiv:2504.11442; TextArena 0.7.

Out. `to_textarena(game)` is the game as a textarena.Env: rules and views in words, `step("I bet. [bet]")`. A reply is
read by `agents.replies`, so quotations and thinking are no action. Their rule for invalid moves is kept: one more try;
after that the move is forfeited, a legal action drawn uniformly is played in its place, and game_info says so. The
rewards are the payoffs of our rules. What a player does is not announced to the others: they see what their view shows.

In. `play_textarena("KuhnPoker-v0", models, games, rng)` plays any of their games with any ChatModel. A reply that was
cut off, refused or is empty hands the empty action to the game, and their own rule follows: mostly one more try and
then the loss of the game. Who lost so is recorded apart from the payoffs.

TextArena draws all chance from Python's global random numbers (from NumPy's in two games) and seeds them at every
reset. Here each game has such numbers of its own, and the caller's are put back after every step. Games of dictionary
words (Wordle, Hangman, SpellingBee and others) fetch them from the net at the first use; nothing is done about that.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ludus.adapters.library import library
from ludus.adapters.wordwise import Table
from ludus.agents.chat import MISTAKES
from ludus.agents.replies import spoken
from ludus.game import OVER, Game
from ludus.models.chat import ChatModel, Message

ta = library("textarena", extra="textarena")
Env: Any = ta.Env

SYSTEM = (
    "You play a game in words. The next message holds its rules and what has happened so far. Do what the rules ask of "
    "you now, in the form that they ask for."
)
LONGEST = 1000  # turns; no game of theirs that ends is near
NUMPY: Any = np.random  # whose type stubs leave out the functions for the global bit generator


# --- out --------------------------------------------------------------------------------------------------------------


def to_textarena(game: Game) -> Any:
    """The game as a textarena.Env of game.players players. Raises ValueError where its words cannot be read back."""
    return _Words(game)


class _Words(Env):
    """Observations are their lists of messages; textarena.wrappers.LLMObservationWrapper makes one text of them."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self._rng = np.random.default_rng()
        self._table = Table(game, self._rng)  # now, for the errors

    def reset(self, num_players: int, seed: int | None = None) -> None:
        """A new game. Without a seed the generator of the last reset goes on. Raises ValueError for other players."""
        if num_players != self.game.players:
            raise ValueError(f"num_players: {self.game.name} has {self.game.players} players, {num_players!r} given")
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._table = Table(self.game, self._rng)
        self.state = ta.MinimalMultiPlayerState(num_players=num_players, error_allowance=1)
        self.state.reset(
            game_state={},
            player_prompt_function=lambda player_id, game_state: f"You are player {player_id}. {self._table.rules}",
        )
        self._tell()

    def step(self, action: str) -> tuple[bool, dict[str, Any]]:
        """The player to move says `action`. The info says how it was read, and what was played, if anything."""
        state, player = self.state, self.state.current_player_id
        if state.done:
            return state.step()
        answer = self._table.hear(action)
        played = answer.action
        state.step_info = {"answer": answer.kind}
        if answer.kind != "legal":
            if not state.set_invalid_move(MISTAKES[answer.kind]):
                return state.step()
            played = self._table.forfeit()
            said = f"You forfeited the move. In your place was played: {self.game.words[played]}"
            state.add_observation(said, ta.ObservationType.GAME_ADMIN, to_id=player)
        state.step_info["played"] = self.game.words[played]
        self._tell()
        return state.step()

    def _tell(self) -> None:
        """Whoever is next is told what it sees; or all are told the payoffs."""
        table, state = self._table, self.state
        if table.player == OVER:
            paid = table.payoff().tolist()
            said = ", ".join(f"player {seat} {payoff + 0.0:+g}" for seat, payoff in enumerate(paid))
            state.add_observation(f"The game is over. It pays {said}.", ta.ObservationType.GAME_ADMIN)
            state.set_game_outcome(dict(enumerate(paid)), reason="The game is over.")
            return
        state.manually_set_current_player_id(table.player, force=True)
        state.add_observation(table.question(), ta.ObservationType.GAME_BOARD, to_id=table.player)


# --- in ---------------------------------------------------------------------------------------------------------------


class Turn(NamedTuple):
    """One reply: who, to what text, the words handed to the game, and the status of the reply."""

    player: int
    observation: str
    action: str
    status: str


class TextGame(NamedTuple):
    """A game of TextArena that was played.

    turns      in their order, second tries among them
    payoff     float64[P], as TextArena rewards, NaN where the game was still not over after LONGEST turns
    forfeited  bool[P], who lost, or was put out, by an invalid move
    reason     TextArena's own words for the end
    """

    turns: tuple[Turn, ...]
    payoff: np.ndarray
    forfeited: np.ndarray
    reason: str


def play_textarena(name: str, models: Sequence[ChatModel], games: int, rng: np.random.Generator) -> list[TextGame]:
    """Play `games` games in lock step, a model per player; a model on several seats is asked once for them all.

    name  as textarena.make takes it: "KuhnPoker-v0"

    Two numbers are drawn from rng. Game g depends on them and on g alone. Raises ValueError for a name that TextArena
    does not know, and where a game is not for so many players.
    """
    if name not in ta.envs.registration.ENV_REGISTRY:
        raise ValueError(f"name: TextArena has no game {name!r}; write for example 'KuhnPoker-v0' or 'TicTacToe-v0'")
    if games < 1:
        raise ValueError(f"games: at least 1, {games!r} given")
    root = rng.integers(2**63, size=2)
    tables = [_Played(name, len(models), np.random.default_rng([*root, game])) for game in range(games)]
    while live := [table for table in tables if not table.over]:
        asking: dict[int, list[_Played]] = {}
        for table in live:
            asking.setdefault(id(models[table.player]), []).append(table)
        for same in asking.values():
            seeds = [int(table.rng.integers(2**31)) for table in same]
            replies = models[same[0].player].ask([table.conversation() for table in same], seeds)
            for table, reply in zip(same, replies, strict=True):
                table.hear(spoken(reply.text) if reply.status == "ok" else "", reply.status)
    return [table.played() for table in tables]


class _Played:
    """One game in progress, with global random numbers of its own."""

    def __init__(self, name: str, players: int, rng: np.random.Generator) -> None:
        self.rng = rng
        seed = int(rng.integers(2**31))
        self._python, self._numpy = random.Random(seed).getstate(), np.random.MT19937(seed)
        self._players, self.over = players, False
        self._turns: list[Turn] = []
        with self._chance():
            self._env = ta.make(name)
            try:
                self._env.reset(num_players=players, seed=seed)
            except AssertionError as fault:
                raise ValueError(f"models: {name} is not for {players} players ({fault})") from None
            self._look()

    def conversation(self) -> list[Message]:
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": self._observation}]

    def hear(self, action: str, status: str) -> None:
        self._turns.append(Turn(self.player, self._observation, action, status))
        with self._chance():
            done, _ = self._env.step(action=action)
            self.over = bool(done) or len(self._turns) >= LONGEST
            if not self.over:
                self._look()

    def played(self) -> TextGame:
        rewards, info = self._env.close()
        paid = [(rewards or {}).get(player, np.nan) for player in range(self._players)]
        out = [bool(info[player]["invalid_move"]) for player in range(self._players)]
        return TextGame(tuple(self._turns), np.array(paid, float), np.array(out), str(info[0].get("reason", "")))

    def _look(self) -> None:
        self.player, observation = self._env.get_observation()
        self._observation = str(observation).strip()

    @contextmanager
    def _chance(self) -> Iterator[None]:
        """Python's and NumPy's global random numbers are this game's for a while."""
        python, numpy = random.getstate(), NUMPY.get_bit_generator()
        random.setstate(self._python)
        NUMPY.set_bit_generator(self._numpy)
        try:
            yield
        finally:
            self._python = random.getstate()
            random.setstate(python)
            NUMPY.set_bit_generator(numpy)
