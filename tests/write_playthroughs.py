"""Games written down move by move, so that a change of the rules is seen: `python -m tests.write_playthroughs`.

One file per game in tests/playthroughs. Read the difference before committing it: every line that changed is a rule,
a view or a word that changed.
"""

from pathlib import Path

import numpy as np
from tests import naive

from ludus import games
from ludus.game import CHANCE, OVER, Game

FOLDER = Path(__file__).parent / "playthroughs"
GAMES = 3  # per file


def playthrough(game: Game, choose) -> str:
    """One game in words, a line per event; choose (moves: {action: weight}) -> action."""
    lines, state = [], game.start.copy()
    while (mover := int(game.kernels.turn(state))) != OVER:
        moves = naive.moves_of(game, state)
        move = choose(moves)
        if mover == CHANCE:
            odds = " ".join(f"{outcome}:{weight:.6g}" for outcome, weight in moves.items())
            lines.append(f"chance | {odds} -> {move}")
        else:
            seen = game.tell(np.array(naive.infoset_of(game, state, mover)[1:]))
            legal = " ".join(f"{action}:{game.words[action]}" for action in moves)
            lines.append(f"player {mover} | {seen} | {legal} -> {move}")
        game.kernels.apply(state, move)
    payoffs = " ".join(f"{number:g}" for number in naive.payoff_of(game, state))
    return "\n".join([*lines, f"over | {payoffs}"])


def at_random(seed: int):
    """Choose by chance's probabilities, and uniformly among legal actions."""
    rng = np.random.default_rng(seed)

    def choose(moves):
        odds = np.array(list(moves.values()))
        return int(rng.choice(list(moves), p=odds / odds.sum()))

    return choose


def again(text: str):
    """Choose as it was chosen in a playthrough."""
    moves = iter([int(line.rpartition("-> ")[2]) for line in text.splitlines() if "-> " in line])
    return lambda _: next(moves)


if __name__ == "__main__":
    for name in games.names():
        game = games.load(name)
        texts = [playthrough(game, at_random(seed)) for seed in range(GAMES)]
        (FOLDER / f"{name}.txt").write_text("\n\n".join([game.name, *texts]) + "\n")
