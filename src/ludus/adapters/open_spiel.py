"""OpenSpiel, both ways: our games for its algorithms, its games for our solvers.

Lanctot et al. (2019), "OpenSpiel: a framework for reinforcement learning in games", arXiv:1908.09453; OpenSpiel 2.0.

Out. `to_open_spiel(game)` is the game as a pyspiel.Game on which OpenSpiel's own algorithms run: CFR, best responses,
exploitability, its learners. `to_open_spiel_policy` seats a policy of ours there. An information state is the player
and its view; a game that declares imperfect recall offers observations only, since OpenSpiel means by an information
state all that a player has seen. Simultaneous moves are turns there as here. Rules run in Python: nothing is fast.

In. `from_open_spiel("kuhn_poker")` is a game of theirs as a Tree: to be solved, and judged by exact NashConv. It cannot
be made a Game, which is five compiled functions on a small array of integers; so it is not played by `ludus.play`.
"""

from typing import Any, NamedTuple

import numpy as np

from ludus.adapters import stepwise
from ludus.adapters.library import library
from ludus.game import CHANCE, OVER, Game, IllegalAction
from ludus.records import Policy
from ludus.tree import Labels, TooLarge, Tree, grow

pyspiel = library("pyspiel", extra="open-spiel")
TheirGame: Any = pyspiel.Game
TheirState: Any = pyspiel.State


class Bounds(NamedTuple):
    """What OpenSpiel wants to know of a game beforehand.

    low, high  the least and the most that a player can be paid
    decisions  the most decisions in one play
    chances    the most events of chance in one play
    """

    low: float
    high: float
    decisions: int
    chances: int


# --- out --------------------------------------------------------------------------------------------------------------


def to_open_spiel(game: Game, bounds: Bounds | None = None) -> Any:
    """The game as a pyspiel.Game, registered: pyspiel.load_game finds it by its short name from then on.

    bounds  taken from the whole tree unless given. Raises TooLarge where the tree is too large for that
    """
    facts, chances, kind = *_facts(game, bounds or _bounds(game)), _kind(game)

    class Played(TheirGame):
        """The rules stay outside the instance: OpenSpiel copies a state by copying all that the state holds."""

        def __init__(self, params: Any = None) -> None:
            super().__init__(kind, facts, params or {})

        def new_initial_state(self) -> Any:
            return State(self)

        def max_chance_nodes_in_history(self) -> int:
            return chances

        def make_py_observer(self, iig_obs_type: Any = None, params: Any = None) -> Any:
            return Observer(iig_obs_type, params)

    class State(TheirState):
        """A state int64[S] and the rules of the game."""

        def __init__(self, played: Any) -> None:
            super().__init__(played)
            self.ludus = game.start.copy()

        def current_player(self) -> int:
            player = stepwise.turn(game, self.ludus)
            return {CHANCE: pyspiel.PlayerId.CHANCE, OVER: pyspiel.PlayerId.TERMINAL}.get(player, player)

        def _legal_actions(self, player: int) -> list[int]:
            able = np.flatnonzero(stepwise.weights(game, self.ludus)).tolist()
            return able if player == self.current_player() else []

        def chance_outcomes(self) -> list[tuple[int, float]]:
            odds = stepwise.weights(game, self.ludus)
            return [(outcome, float(odds[outcome])) for outcome in np.flatnonzero(odds).tolist()]

        def _apply_action(self, action: int) -> None:
            if stepwise.turn(game, self.ludus) != CHANCE:
                stepwise.act(game, self.ludus, action)
                return
            outcomes = [outcome for outcome, _ in self.chance_outcomes()]
            if action not in outcomes:
                raise IllegalAction(f"action: chance cannot give {action} here; give one of {outcomes}")
            game.kernels.apply(self.ludus, action)

        def _action_to_string(self, player: int, action: int) -> str:
            return f"chance {action}" if player == pyspiel.PlayerId.CHANCE else game.words[action]

        def is_terminal(self) -> bool:
            return stepwise.turn(game, self.ludus) == OVER

        def returns(self) -> list[float]:
            return stepwise.payoff(game, self.ludus).tolist()

        def __str__(self) -> str:
            return " ".join(map(str, self.history()))

    class Observer:
        """What a player has seen: float32 for networks, exact up to 2^24; text that tells information states apart."""

        def __init__(self, iig_obs_type: Any, params: Any) -> None:
            if params:
                raise ValueError(
                    f"params: {game.name} has no ways to observe it but one; {params!r} given, leave it out"
                )
            self.tensor = np.zeros(game.view_size, np.float32)
            self.dict = {"view": self.tensor}

        def set_from(self, state: Any, player: int) -> None:
            self.tensor[:] = stepwise.view(game, state.ludus, player)

        def string_from(self, state: Any, player: int) -> str:
            return " ".join(map(str, [f"player {player}:", *stepwise.view(game, state.ludus, player)]))

    pyspiel.register_game(kind, Played)
    return Played()


def to_open_spiel_policy(game: Game, spiel_game: Any, policy: Policy) -> Any:
    """A policy of ours for `to_open_spiel(game)`, as an open_spiel.python.policy.Policy that sits on every seat."""
    their_policy: Any = library("open_spiel.python.policy", extra="open-spiel").Policy

    class Seated(their_policy):
        def action_probabilities(self, state: Any, player_id: int | None = None) -> dict[int, float]:
            able = stepwise.legal(game, state.ludus)
            seen = stepwise.view(game, state.ludus, stepwise.turn(game, state.ludus))
            (row,) = np.asarray(policy(seen[None], able[None]))
            return {action: float(row[action]) for action in np.flatnonzero(able).tolist()}

    return Seated(spiel_game, list(range(game.players)))


def _kind(game: Game) -> Any:
    kinds, total = pyspiel.GameType, game.constant_sum
    utility = kinds.Utility.GENERAL_SUM
    if total is not None:
        utility = kinds.Utility.ZERO_SUM if total == 0 else kinds.Utility.CONSTANT_SUM
    name = "".join(letter if letter.isalnum() else "_" for letter in game.name.replace(", ", "_").rstrip(")"))
    return kinds(
        short_name=f"ludus_{name}",
        long_name=f"Ludus {game.name}",
        dynamics=kinds.Dynamics.SEQUENTIAL,
        chance_mode=kinds.ChanceMode.EXPLICIT_STOCHASTIC if game.outcomes else kinds.ChanceMode.DETERMINISTIC,
        information=kinds.Information.IMPERFECT_INFORMATION,  # of perfect information nothing is declared here
        utility=utility,
        reward_model=kinds.RewardModel.TERMINAL,
        max_num_players=game.players,
        min_num_players=game.players,
        provides_information_state_string=game.perfect_recall,
        provides_information_state_tensor=game.perfect_recall,
        provides_observation_string=True,
        provides_observation_tensor=True,
    )


def _facts(game: Game, bounds: Bounds) -> tuple[Any, int]:
    """What OpenSpiel keeps in its record, and the events of chance, which it asks the game for."""
    info = pyspiel.GameInfo(
        num_distinct_actions=game.actions,
        max_chance_outcomes=game.outcomes,
        num_players=game.players,
        min_utility=bounds.low,
        max_utility=bounds.high,
        utility_sum=game.constant_sum,
        max_game_length=bounds.decisions,
    )
    return info, bounds.chances


def _bounds(game: Game) -> Bounds:
    try:
        tree = grow(game)
    except TooLarge as fault:
        raise TooLarge(
            f"bounds: OpenSpiel wants to know how long {game.name} lasts and what it pays, and its tree is too large "
            "to look; give bounds=Bounds(low, high, decisions, chances)"
        ) from fault
    before = np.zeros((len(tree.turn), 2), np.int64)  # decisions and events of chance on the way to a node
    start, end = int(tree.first[0]), int(tree.first[1])
    while start < end:  # layer by layer
        above = tree.parent[start:end]
        before[start:end] = before[above]
        before[start:end, 0] += tree.turn[above] >= 0
        before[start:end, 1] += tree.turn[above] == CHANCE
        start, end = int(tree.first[start]), int(tree.first[end])
    paid, (decisions, chances) = tree.payoff[tree.turn == OVER], before.max(axis=0)
    return Bounds(float(paid.min()), float(paid.max()), int(decisions), int(chances))


# --- in ---------------------------------------------------------------------------------------------------------------


def from_open_spiel(game: Any, limit: int = 100_000) -> Tree:
    """A game of OpenSpiel as a Tree, walked state by state. Simultaneous moves become turns.

    game   a pyspiel.Game, or text for pyspiel.load_game: "leduc_poker", "goofspiel(num_cards=3)"

    The view of an infoset is its number, its label the information state in OpenSpiel's own text; an action is called
    what OpenSpiel calls it where it is first met. Raises TooLarge where there are more than `limit` nodes, ValueError
    where OpenSpiel does not know the game or does not tell information states or the probabilities of chance.
    """
    played = _loaded(game)
    places: list[tuple[Any, int, int, float]] = [(played.new_initial_state(), -1, -1, 1.0)]
    turn, first, infoset, payoff = [], [], [], []
    number: dict[tuple[int, str], int] = {}
    able: list[list[int]] = []  # what is legal at each infoset
    words: dict[int, str] = {}
    for state, *_ in places:  # breadth-first: the list grows while it is walked
        mover, row = int(state.current_player()), -1
        children: list[tuple[int, float]] = []
        if state.is_terminal():
            mover = OVER
        elif state.is_chance_node():
            mover, children = CHANCE, sorted((outcome, odds) for outcome, odds in state.chance_outcomes() if odds > 0)
        else:
            children = [(move, 1.0) for move in sorted(state.legal_actions())]
            row = number.setdefault((mover, state.information_state_string(mover)), len(number))
            if row == len(able):
                able.append([move for move, _ in children])
                words |= {move: state.action_to_string(mover, move) for move, _ in children if move not in words}
        turn.append(mover)
        infoset.append(row)
        payoff.append(state.returns() if mover == OVER else [0.0] * played.num_players())
        first.append(len(places))
        if len(places) + len(children) > limit:
            raise TooLarge(f"limit: {played} has more than {limit:,} nodes; raise limit= where memory and time allow")
        node = len(turn) - 1
        places.extend((state.child(move), node, move, odds) for move, odds in children)
    legal = np.zeros((len(able), played.num_distinct_actions()), bool)
    for row, moves in enumerate(able):
        legal[row, moves] = True
    _, parent, action, chance = zip(*places, strict=True)
    told = [text for _, text in number]
    return Tree(
        turn=np.array(turn),
        parent=np.array(parent),
        action=np.array(action),
        first=np.array([*first, len(turn)]),
        chance=np.array(chance),
        infoset=np.array(infoset),
        payoff=np.array(payoff, np.float64),
        player=np.array([player for player, _ in number]),
        legal=legal,
        view=np.arange(len(able))[:, None],
        labels=Labels(
            tuple(f"player {seat}" for seat in range(played.num_players())),
            _apart([words.get(move, "") for move in range(legal.shape[1])]),
            lambda row: told[row],
        ),
    )


def _loaded(game: Any) -> Any:
    """The pyspiel.Game, in turns. Raises ValueError where it cannot be walked."""
    try:
        played = pyspiel.load_game(game) if isinstance(game, str) else game
        kind = played.get_type()
    except (pyspiel.SpielError, AttributeError) as fault:
        why = str(fault).split(". Available")[0]  # all their names follow
        raise ValueError(f"game: {game!r} is no game of OpenSpiel ({why}); write for example 'kuhn_poker'") from None
    if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        played = pyspiel.convert_to_turn_based(played)
        kind = played.get_type()
    if kind.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
        raise ValueError(f"game: {played} is no game of single players ({kind.dynamics}); give one with turns")
    if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise ValueError(f"game: {played} only samples its chance; give a game that lists its chance outcomes")
    if not kind.provides_information_state_string:
        raise ValueError(f"game: {played} does not tell information states; give a game that does, as 'kuhn_poker'")
    return played


def _apart(texts: list[str]) -> tuple[str, ...]:
    """A word per action, all different: OpenSpiel's text without spaces, with the action's number where it is taken."""
    words: list[str] = []
    for action, text in enumerate(texts):
        word = "_".join(text.split())
        words.append(word if word and word not in words else f"{word}#{action}")
    return tuple(words)
