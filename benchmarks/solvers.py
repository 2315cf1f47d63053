"""CFR, CFR+, exact NashConv and a whole solution of Leduc poker against OpenSpiel's solvers and LiteEFG.

One iteration updates every player once and keeps the average. NashConv of our average must agree with OpenSpiel's to
1e-9 after the same iterations, or the run stops; LiteEFG's plain CFR updates the players at the same time, so it is
only timed.

Leduc to exploitability 1e-3 (NashConv / 2) is timed on our side by `approach` with discounted CFR: iterations and the
best responses that check the target, the tree grown and folded beforehand. OpenSpiel's sequence-form linear program
is timed whole, on a game loaded beforehand; it is exact. The other peers' CFR+ is timed for as many iterations as it
needs, without its checks and its setting up.

LiteEFG pins an older JAX and needs an environment of its own; with open_spiel, cvxpy and ecos beside it, one run there
prints every row.
Run: PYTHONPATH=src .venv-peers-liteefg/bin/python benchmarks/solvers.py
"""

import contextlib
import io

from ludus.games import load
from ludus.measure.nash_conv import exploitability, nash_conv
from ludus.solve.approach import approach
from ludus.solve.cfr import cfr, cfr_plus
from ludus.tree import grow
from pairing import compare

OPEN_SPIEL = {
    "kuhn_poker": "kuhn_poker",
    "leduc_poker": "leduc_poker",
    "liars_dice(dice=1, faces=5)": "liars_dice(players=2,numdice=1,dice_sides=5)",
    "liars_dice(dice=1, faces=6)": "liars_dice(players=2,numdice=1,dice_sides=6)",
}
PIECE = {  # iterations a call of ours
    "kuhn_poker": 100_000,
    "leduc_poker": 2_000,
    "liars_dice(dice=1, faces=5)": 500,
    "liars_dice(dice=1, faces=6)": 100,
}
AGREE_AFTER = dict.fromkeys(OPEN_SPIEL, (1, 2, 3, 10, 30, 100)) | {"liars_dice(dice=1, faces=6)": (1, 2, 5)}  # slow
TARGET = 1e-3  # exploitability
WORKS = (
    ("leduc_poker", "CFR"),
    ("liars_dice(dice=1, faces=5)", "CFR+"),
    ("kuhn_poker", "CFR"),
    ("leduc_poker", "CFR+"),
    ("liars_dice(dice=1, faces=6)", "CFR"),
)


def our_iterations(name, algorithm):
    tree, solve, state = grow(load(name)), {"CFR": cfr, "CFR+": cfr_plus}[algorithm], None

    def work():
        nonlocal state
        state = solve(tree, PIECE[name], state=state).state
        return PIECE[name]

    return work


def open_spiel_iterations(name, algorithm):
    import pyspiel

    game = pyspiel.load_game(OPEN_SPIEL[name])
    solver = {"CFR": pyspiel.CFRSolver, "CFR+": pyspiel.CFRPlusSolver}[algorithm](game)

    def work():
        solver.evaluate_and_update_policy()
        return 1

    return work


def lite_efg(name, algorithm):
    """The compiled graph and its environment, as the library's own baselines set them up."""
    with contextlib.redirect_stdout(io.StringIO()):
        import LiteEFG
        import pyspiel
        from LiteEFG.baselines import CFR, CFRplus

        graph = {"CFR": CFR, "CFR+": CFRplus}[algorithm].graph()
        game = pyspiel.load_game(OPEN_SPIEL[name])
        env = LiteEFG.OpenSpielEnv(game, traverse_type="Enumerate", regenerate=False)
        env.set_graph(graph)
    return graph, env


def lite_efg_iterations(name, algorithm):
    graph, env = lite_efg(name, algorithm)

    def work():
        graph.update_graph(env)
        env.update_strategy(graph.current_strategy())
        return 1

    return work


def our_nash_conv(name):
    tree = grow(load(name))
    table = cfr(tree, 5).average

    def work():
        for _ in range(100):
            nash_conv(tree, table)
        return 100

    return work


def open_spiel_nash_conv(name):
    import pyspiel

    game = pyspiel.load_game(OPEN_SPIEL[name])
    solver = pyspiel.CFRSolver(game)
    for _ in range(5):
        solver.evaluate_and_update_policy()
    policy = solver.tabular_average_policy()

    def work():
        pyspiel.nash_conv(game, policy)
        return 1

    return work


def lite_efg_nash_conv(name):
    graph, env = lite_efg(name, "CFR")
    for _ in range(5):
        graph.update_graph(env)
        env.update_strategy(graph.current_strategy())

    def work():
        sum(env.exploitability(graph.current_strategy(), "avg-iterate"))
        return 1

    return work


def our_solution(name):
    tree = grow(load(name))
    (table,) = approach(tree, target=2 * TARGET).profiles
    assert exploitability(tree, table).number <= TARGET

    def work():
        approach(tree, target=2 * TARGET)
        return 1

    return work


def open_spiel_linear_program(name):
    import pyspiel
    from open_spiel.python.algorithms.sequence_form_lp import solve_zero_sum_game

    game = pyspiel.load_game(OPEN_SPIEL[name])

    def work():
        solve_zero_sum_game(game)
        return 1

    return work


def open_spiel_solution(name):
    import pyspiel

    game = pyspiel.load_game(OPEN_SPIEL[name])
    solver = pyspiel.CFRPlusSolver(game)
    return enough(
        solver.evaluate_and_update_policy, lambda: pyspiel.nash_conv(game, solver.tabular_average_policy()) / 2
    )


def lite_efg_solution(name):
    graph, env = lite_efg(name, "CFR+")

    def iterate():
        graph.update_graph(env)
        env.update_strategy(graph.current_strategy())

    return enough(iterate, lambda: sum(env.exploitability(graph.current_strategy(), "linear-avg-iterate")) / 2)


def enough(iterate, measure):
    """As many iterations as the target takes, found here and to a tenth; every one costs the same, so they go on."""
    needed = 0
    while needed == 0 or measure() > TARGET:
        more = max(10, needed // 10)
        for _ in range(more):
            iterate()
        needed += more

    def work():
        for _ in range(needed):
            iterate()
        return 1

    return work


def check_agreement(name, algorithm):
    """Raises AssertionError where NashConv of the average differs from OpenSpiel's by more than 1e-9."""
    import pyspiel

    ours, tree, stops = {}, grow(load(name)), AGREE_AFTER[name]
    {"CFR": cfr, "CFR+": cfr_plus}[algorithm](
        tree,
        max(stops),
        checkpoints=stops,
        watch=lambda now: ours.update({now.iterations: nash_conv(tree, now.average).number}),
    )
    game = pyspiel.load_game(OPEN_SPIEL[name])
    solver = {"CFR": pyspiel.CFRSolver, "CFR+": pyspiel.CFRPlusSolver}[algorithm](game)
    for iteration in range(1, max(stops) + 1):
        solver.evaluate_and_update_policy()
        if iteration in stops:
            theirs = pyspiel.nash_conv(game, solver.tabular_average_policy())
            assert abs(ours[iteration] - theirs) < 1e-9, (
                f"{algorithm}, {name}, {iteration} iterations: NashConv {ours[iteration]!r}, OpenSpiel {theirs!r}"
            )


def main():
    for name, algorithm in WORKS:
        with contextlib.suppress(ImportError):  # the rows say "not run" where OpenSpiel is missing
            check_agreement(name, algorithm)
        for peer, theirs in (("OpenSpiel C++", open_spiel_iterations), ("LiteEFG", lite_efg_iterations)):
            compare(
                f"{algorithm} iterations, {name}",
                peer,
                "iterations",
                our_iterations(name, algorithm),
                lambda theirs=theirs, name=name, algorithm=algorithm: theirs(name, algorithm),
            )
    name = "leduc_poker"
    for peer, theirs in (
        ("OpenSpiel sequence-form LP", open_spiel_linear_program),
        ("LiteEFG CFR+", lite_efg_solution),
        ("OpenSpiel C++ CFR+", open_spiel_solution),
    ):
        compare(
            f"{name} to exploitability {TARGET:g}",
            peer,
            "solutions",
            our_solution(name),
            lambda theirs=theirs: theirs(name),
        )
    for peer, theirs in (("OpenSpiel C++", open_spiel_nash_conv), ("LiteEFG", lite_efg_nash_conv)):
        compare(
            f"exact NashConv of a table, {name}",
            peer,
            "tables",
            our_nash_conv(name),
            lambda theirs=theirs, name=name: theirs(name),
        )


if __name__ == "__main__":
    main()
