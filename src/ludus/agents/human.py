"""A person at the console."""

from collections.abc import Callable

import numpy as np

from ludus.game import Game
from ludus.records import Policy


class InputEnded(RuntimeError):
    """The input ended before the game did."""


def human(game: Game, ask: Callable[[str], str] = input, show: Callable[[str], None] = print) -> Policy:
    """A Policy that shows the rules once, then at each decision what the player sees, and asks for an action.

    A word or the number before it is taken, whatever the case; anything else is asked again. Where the words of the
    game are numbers themselves, only words count. Raises InputEnded where `ask` meets the end of its input (EOFError).
    """
    introduced = False

    def policy(views: np.ndarray, legal: np.ndarray) -> np.ndarray:
        nonlocal introduced
        if not introduced:
            show(game.rules)
            introduced = True
        table = np.zeros(legal.shape)
        for row, view in enumerate(views):
            show(f"\nYou see: {game.tell(view)}")
            table[row, _asked(game, np.flatnonzero(legal[row]), ask, show)] = 1.0
        return table

    return policy


def _asked(game, able, ask, show):
    """The action a person wants, one of the numbers in able."""
    answers = {game.words[action].lower(): int(action) for action in able}
    if any(word.isdigit() for word in game.words):
        menu = "  ".join(game.words[action] for action in able)
    else:
        menu = "  ".join(f"{action} {game.words[action]}" for action in able)
        answers |= {str(action): int(action) for action in able}
    show(menu)
    while True:
        try:
            answer = ask("> ").strip()
        except EOFError:
            raise InputEnded(
                f"the input ended in the middle of {game.name}; answer every question, one a line"
            ) from None
        if answer.lower() in answers:
            return answers[answer.lower()]
        show(f"{answer[:40]!r} is not possible here: type one of {menu}")
