"""Published numbers of the games, as data: (game, quantity, number, source). A new game brings its rows here."""

import math
from typing import NamedTuple


class Known(NamedTuple):
    """A number that does not come from the code under test.

    quantity  nodes | infosets | positions (distinct states, finished ones too) | positions after N plies |
              terminal histories | won by player 0 | won by player 1 | uniform NashConv | uniform value | value
              (values are player 0's, in payoff units)
    """

    game: str
    quantity: str
    number: float
    source: str


OPENSPIEL = "OpenSpiel 2.0 (Lanctot et al. 2019)"
PROGRAM = "linear program over sequences, tests/naive.py zero_sum_value"
RECURSION = "recursion, tests/naive.py nash_conv"
COUNT = "by counting, in the comment"
SYMMETRY = "the players can change places"
GAMES = "Bottomley (2001), How many tic-tac-toe (noughts and crosses) games are possible?"
POSITIONS = "Schaefer (2002), MathRec solutions (tic-tac-toe)"
OEIS = "Tromp (2012), OEIS A212693"

TEXTBOOK = {
    **dict.fromkeys(
        (
            "battle_of_the_sexes", "chicken", "deadlock", "hawk_dove", "inspection", "matching_pennies", "ordinal",
            "prisoners_dilemma", "pure_coordination", "stag_hunt",
        ),
        (2, 2),
    ),
    "rock_paper_scissors": (3, 3), "shapley": (3, 3), "travellers_dilemma": (9, 9), "volunteers_dilemma": (2, 2, 2),
}  # fmt: skip
"""Games in normal form, and how many strategies each player has."""

KNOWN = [
    Known("kuhn_poker", "nodes", 58, OPENSPIEL),
    Known("kuhn_poker", "infosets", 12, "Kuhn (1950)"),
    Known("kuhn_poker", "uniform NashConv", 11 / 12, OPENSPIEL),
    Known("kuhn_poker", "uniform value", 1 / 8, OPENSPIEL),
    Known("kuhn_poker", "value", -1 / 18, "Kuhn (1950)"),
    Known("kuhn_poker(players=3)", "nodes", 617, OPENSPIEL),
    Known("kuhn_poker(players=3)", "terminal histories", 312, OPENSPIEL),
    Known("kuhn_poker(players=3)", "infosets", 48, OPENSPIEL),
    Known("kuhn_poker(players=3)", "uniform NashConv", 2.0625, OPENSPIEL),
    Known("kuhn_poker(players=4)", "nodes", 7_886, OPENSPIEL),
    Known("kuhn_poker(players=4)", "infosets", 160, OPENSPIEL),
    Known("leduc_poker", "nodes", 9_457, OPENSPIEL),
    Known("leduc_poker", "terminal histories", 5_520, OPENSPIEL),
    Known("leduc_poker", "infosets", 936, "Southey et al. (2005), suits told apart"),
    Known("leduc_poker", "uniform NashConv", 4.747222222222222, OPENSPIEL),
    Known("leduc_poker", "uniform value", -0.078125, OPENSPIEL),
    Known("leduc_poker", "value", -0.08560642407800, PROGRAM + "; OpenSpiel prints -0.0856"),
    # F faces, one die: 1 + F rolls, then F^2 deals; a set of the 2 F bids made, ended by liar unless empty
    Known("liars_dice(dice=1, faces=6)", "nodes", 1 + 6 + 36 * (2**12 + 2**12 - 1), COUNT),
    Known("liars_dice(dice=1, faces=6)", "terminal histories", 36 * (2**12 - 1), COUNT),
    Known("liars_dice(dice=1, faces=6)", "infosets", 6 * 2**12, OPENSPIEL),
    Known("liars_dice(dice=1, faces=6)", "uniform NashConv", 1.561488646384479, OPENSPIEL),
    Known("liars_dice(dice=1, faces=6)", "uniform value", -0.0324074074074074, OPENSPIEL),
    Known("liars_dice(dice=1, faces=6)", "value", -7 / 258, PROGRAM),
    Known("liars_dice(dice=1, faces=5)", "nodes", 1 + 5 + 25 * (2**10 + 2**10 - 1), COUNT),
    Known("liars_dice(dice=1, faces=5)", "infosets", 5 * 2**10, COUNT),
    Known("liars_dice(dice=1, faces=5)", "uniform NashConv", 1.4417417989417993, OPENSPIEL),
    Known("liars_dice(dice=1, faces=5)", "uniform value", -0.028, OPENSPIEL),
    Known("liars_dice(dice=1, faces=5)", "value", 1 / 125, PROGRAM),
    Known("liars_dice(dice=1, faces=4)", "infosets", 1_024, OPENSPIEL),
    Known("liars_dice(dice=1, faces=4)", "value", 1 / 16, PROGRAM),
    Known("liars_dice(dice=1, faces=3)", "terminal histories", 567, OPENSPIEL),
    Known("liars_dice(dice=1, faces=3)", "value", 1 / 9, PROGRAM),
    # two dice of two faces: 1 + 2 + 4 + 8 rolls, then 16 deals of 2^8 + 2^8 - 1; three hands a player tell apart
    Known("liars_dice(dice=2, faces=2)", "nodes", 15 + 16 * (2**8 + 2**8 - 1), COUNT),
    Known("liars_dice(dice=2, faces=2)", "infosets", 3 * 2**8, COUNT),
    Known("liars_dice(dice=2, faces=2)", "uniform NashConv", 1.640625, OPENSPIEL),
    Known("liars_dice(dice=2, faces=2)", "uniform value", 0.0625, OPENSPIEL),
    Known("tic_tac_toe", "nodes", 549_946, GAMES),
    Known("tic_tac_toe", "terminal histories", 255_168, GAMES),
    Known("tic_tac_toe", "won by player 0", 131_184, GAMES),
    Known("tic_tac_toe", "won by player 1", 77_904, GAMES),
    Known("tic_tac_toe", "positions", 5_478, POSITIONS),
    Known("tic_tac_toe", "infosets", 5_478 - 958, POSITIONS),  # 958 positions are finished
    Known("connect_four", "positions after 3 plies", 238, OEIS),
    Known("connect_four", "positions after 6 plies", 16_422, OEIS),
    Known("connect_four", "positions after 8 plies", 184_275, OEIS),  # won positions, met first at ply 7, end there
    # 1 + 4 deals, 16 pairs of values; with S(n) nodes where nothing stands and n turns are left, O(n) where an offer
    # stands: S(n) = 1 + 4 (2 + O(n - 1)), O(n) = 2 + S(n - 1) + 4 (2 + O(n - 1)), S(0) = O(0) = 1: S(4) = 1653.
    Known("negotiation(turns=4, bell=15)", "nodes", 1 + 4 + 16 * 1_653, COUNT),
    # a public line is a string of offers and denials, no denial first or after a denial: 1, 4, 20, 96 of 0 to 3
    Known("negotiation(turns=4, bell=15)", "infosets", 4 * (1 + 4 + 20 + 96), COUNT),
    Known("negotiation(turns=4, bell=15)", "uniform NashConv", 1.0325385850694442, RECURSION),
    Known("negotiation(turns=4, bell=15)", "value", -0.09596720995219, PROGRAM),
    Known("negotiation(turns=3, bell=15)", "value", -0.04304760085575, PROGRAM),
    Known("negotiation(turns=4, bell=0)", "value", -1 / 8, PROGRAM),
    Known("negotiation(turns=2, bell=0)", "value", -1 / 8, PROGRAM),
    Known("goofspiel(cards=4, random=0, hidden=1, points=0)", "nodes", 1_077, OPENSPIEL),
    Known("goofspiel(cards=4, random=0, hidden=1, points=0)", "terminal histories", 576, OPENSPIEL),
    Known("goofspiel(cards=4, random=0, hidden=1, points=0)", "infosets", 162, OPENSPIEL),
    Known("goofspiel(cards=4, random=0, hidden=1, points=0)", "uniform NashConv", 17 / 12, OPENSPIEL),
    Known("goofspiel(cards=4, random=0, hidden=1, points=0)", "value", 0, SYMMETRY),
    Known("goofspiel(cards=4, random=1, hidden=1, points=0)", "nodes", 26_773, OPENSPIEL),
    Known("goofspiel(cards=4, random=1, hidden=1, points=0)", "terminal histories", 13_824, OPENSPIEL),
    Known("goofspiel(cards=4, random=1, hidden=1, points=0)", "infosets", 3_608, OPENSPIEL),
    Known("goofspiel(cards=4, random=1, hidden=1, points=0)", "uniform NashConv", 17 / 12, OPENSPIEL),
    # both remember all bids: 1, 4^2 and then 4^2 3^2 histories; OpenSpiel forgets their order and has 270
    Known("goofspiel(cards=4, random=0, hidden=0, points=0)", "infosets", 2 * (1 + 16 + 144), COUNT),
    Known("goofspiel(cards=4, random=0, hidden=0, points=0)", "uniform NashConv", 3 / 2, OPENSPIEL),
    Known("goofspiel(cards=3, random=1, hidden=1, points=1)", "infosets", 90, OPENSPIEL),
    Known("goofspiel(cards=3, random=1, hidden=1, points=1)", "uniform NashConv", 8 / 3, OPENSPIEL + ", pays half"),
    Known("oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)", "nodes", 738, OPENSPIEL),
    Known("oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)", "terminal histories", 230, OPENSPIEL),
    Known("oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)", "infosets", 428, OPENSPIEL),
    Known("oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)", "uniform NashConv", 1.3, OPENSPIEL),
    Known("oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)", "value", 0, SYMMETRY),
    Known("oshi_zumo(coins=6, size=2, min_bid=1, horizon=50)", "nodes", 3_429, OPENSPIEL),
    Known("oshi_zumo(coins=6, size=2, min_bid=1, horizon=50)", "infosets", 2_028, OPENSPIEL),
    Known("oshi_zumo(coins=6, size=2, min_bid=1, horizon=50)", "uniform NashConv", 1.7888888888888885, OPENSPIEL),
    Known("oshi_zumo(coins=3, size=1, min_bid=0, horizon=3)", "nodes", 659, OPENSPIEL),
    Known("oshi_zumo(coins=3, size=1, min_bid=0, horizon=3)", "infosets", 180, OPENSPIEL),
    Known("oshi_zumo(coins=3, size=1, min_bid=0, horizon=3)", "uniform NashConv", 1.2465277777777777, OPENSPIEL),
    Known("blotto(soldiers=5, fields=3, majority=1)", "nodes", 463, OPENSPIEL),
    Known("blotto(soldiers=5, fields=3, majority=1)", "infosets", 2, OPENSPIEL),
    Known("blotto(soldiers=5, fields=3, majority=1)", "uniform NashConv", 4 / 7, OPENSPIEL),
    Known("blotto(soldiers=5, fields=3, majority=1)", "value", 0, SYMMETRY),
    Known("blotto(soldiers=3, fields=4, majority=1)", "nodes", 421, OPENSPIEL),
    Known("blotto(soldiers=3, fields=4, majority=1)", "uniform NashConv", 0.7, OPENSPIEL),
    Known("blotto(soldiers=10, fields=3, majority=1)", "terminal histories", 66**2, OPENSPIEL),
    # 5 values and 6 bids a player; a player sees its value alone
    Known("sealed_bid_auction(players=2, values=5, bids=5, price=1)", "nodes", 1 + 5 + 25 * (1 + 6 + 36), COUNT),
    Known("sealed_bid_auction(players=2, values=5, bids=5, price=1)", "infosets", 2 * 5, COUNT),
    # normal forms: the root, and a layer of nodes for every player who has chosen; one infoset each
    *(
        Known(name, quantity, number, COUNT)
        for name, sizes in TEXTBOOK.items()
        for quantity, number in (
            ("nodes", sum(math.prod(sizes[:chosen]) for chosen in range(len(sizes) + 1))),
            ("infosets", len(sizes)),
        )
    ),
    Known("matching_pennies", "value", 0, "Von Neumann and Morgenstern (1944)"),
    Known("rock_paper_scissors", "value", 0, "Von Neumann and Morgenstern (1944)"),
    Known("prisoners_dilemma", "uniform NashConv", 2 * (3 - 9 / 4), COUNT),  # defecting earns 3 against even play
    Known("shapley", "uniform NashConv", 0, "Shapley (1964)"),
    Known("volunteers_dilemma", "uniform NashConv", 0, "Diekmann (1985): wait with probability (1 / 4)^(1 / 2)"),
    Known("hex", "positions", 5_514, OPENSPIEL),
    Known("hex", "nodes", 548_650, OPENSPIEL),
    Known("hex", "infosets", 4_520, OPENSPIEL),
    Known("hex", "won by player 0", 165_600, OPENSPIEL),
    Known("hex", "won by player 1", 92_160, OPENSPIEL),
    Known("hex(rows=2, columns=2)", "nodes", 53, OPENSPIEL),
    Known("hex(rows=2, columns=3)", "nodes", 1_021, OPENSPIEL),
    Known("hex(rows=2, columns=3)", "won by player 0", 376, OPENSPIEL),
    Known("hex(rows=3, columns=2)", "nodes", 1_333, OPENSPIEL),
    Known("hex(rows=3, columns=2)", "won by player 0", 144, OPENSPIEL),
    Known("breakthrough", "nodes", 3_380, OPENSPIEL),
    Known("breakthrough", "positions", 723, OPENSPIEL),
    Known("breakthrough", "infosets", 271, OPENSPIEL),
    Known("breakthrough", "terminal histories", 2_300, OPENSPIEL),
    Known("breakthrough", "won by player 0", 1_456, OPENSPIEL),
    Known("breakthrough(rows=5, columns=2)", "nodes", 93_733, OPENSPIEL),
    Known("breakthrough(rows=5, columns=2)", "infosets", 421, OPENSPIEL),
    Known("breakthrough(rows=4, columns=3)", "positions", 10_689, OPENSPIEL),
    Known("battleship", "nodes", 3_029, OPENSPIEL),
    Known("battleship", "infosets", 470, OPENSPIEL),
    Known("battleship", "terminal histories", 2_048, OPENSPIEL),
    Known("battleship", "uniform NashConv", 1 / 6, OPENSPIEL),
    Known("battleship", "uniform value", 1 / 36, OPENSPIEL),
    # the first shot meets a ship with 1/2 and the next its other cell with 1/2; player 1 then has 1/4 of the other 3/4
    Known("battleship", "value", 1 / 4 - 3 / 4 * 1 / 4, "by reasoning, in the comment"),
    Known("battleship(loss=2)", "uniform NashConv", 13 / 72, OPENSPIEL),
    Known("battleship(rows=1, columns=3, ships=12, values=21, shots=2, loss=2)", "nodes", 279, OPENSPIEL),
    Known("battleship(rows=1, columns=3, ships=12, values=21, shots=2, loss=2)", "infosets", 104, OPENSPIEL),
    Known("battleship(rows=1, columns=3, ships=12, values=21, shots=2, loss=2)", "uniform NashConv", 2 / 3, OPENSPIEL),
    # ships of one cell: with n cells either can see to it that both are met after 1 to n shots alike, independently;
    # player 0 shoots first, so it is ahead by the k ties of k shots, 1 / n^2 each
    Known("battleship(ships=1)", "nodes", 1_573, OPENSPIEL),
    Known("battleship(ships=1)", "infosets", 162, OPENSPIEL),
    Known("battleship(ships=1)", "uniform NashConv", 0, OPENSPIEL),
    Known("battleship(ships=1)", "value", 2 / 4**2, "by reasoning, in the comment"),
    Known("battleship(rows=1, columns=3, ships=1, shots=3)", "value", 3 / 3**2, "by reasoning, in the comment"),
    # a step from two cells of a triangle: three by three moves, in three they meet, in one they swap, five go on
    Known("pursuit(rows=1, columns=3, wrap=1, sight=1)", "nodes", 1 + 12 * (1 + 5 + 25), COUNT),
    Known("pursuit(rows=1, columns=3, wrap=1, sight=1)", "infosets", 2 * (1 + 5 + 25), COUNT),
    Known("pursuit(rows=1, columns=3, wrap=1, sight=0)", "infosets", 2 * (1 + 3 + 9), COUNT),  # own steps alone
    Known("pursuit(rows=1, columns=3, wrap=1, sight=0)", "value", 1 - 2 * 0.5**3, "tests/games/test_pursuit.py"),
    Known("pursuit", "value", 0, PROGRAM),
    Known("pursuit(rows=2, columns=2)", "value", 1 / 3, PROGRAM),
]
