"""Growing a whole game tree into arrays, against walking it through OpenSpiel's states from Python.

Both sides write for every node who moves, the parent, the action, the probability of chance, the infoset, the payoffs.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/trees.py
"""

import numpy as np

from ludus.games import load
from ludus.tree import grow
from pairing import compare

OPEN_SPIEL = {
    "liars_dice(dice=1, faces=5)": "liars_dice(players=2,numdice=1,dice_sides=5)",
    "leduc_poker": "leduc_poker",
}


def ours(name):
    game = load(name)
    return lambda: len(grow(game).turn)


def walk_of_open_spiel(name, nodes):
    import pyspiel

    game = pyspiel.load_game(OPEN_SPIEL[name])

    def work():
        turn, parent, action, chance, infoset, payoff, numbers = [], [], [], [], [], [], {}
        waiting = [(game.new_initial_state(), -1, -1, 1.0)]
        for state, up, move, odds in waiting:  # breadth-first: the list grows while it is walked
            node, mover = len(turn), int(state.current_player())
            turn.append(mover)
            parent.append(up)
            action.append(move)
            chance.append(odds)
            if state.is_terminal():
                infoset.append(-1)
                payoff.append(state.returns())
                continue
            payoff.append((0.0, 0.0))
            if state.is_chance_node():
                infoset.append(-1)
                waiting.extend((state.child(a), node, a, probability) for a, probability in state.chance_outcomes())
            else:
                key = (mover, state.information_state_string())
                infoset.append(numbers.setdefault(key, len(numbers)))
                waiting.extend((state.child(a), node, a, 1.0) for a in state.legal_actions())
        for column in (turn, parent, action, chance, infoset, payoff):
            np.array(column)
        assert len(turn) == nodes, f"{name}: OpenSpiel has {len(turn)} nodes, we {nodes}"
        return len(turn)

    return work


def main():
    for name in OPEN_SPIEL:
        grown = ours(name)
        nodes = grown()
        compare(
            f"growing the tree, {name}",
            "OpenSpiel walked from Python",
            "nodes",
            grown,
            lambda name=name, nodes=nodes: walk_of_open_spiel(name, nodes),
        )


if __name__ == "__main__":
    main()
