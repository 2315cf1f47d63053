"""The catalogue: strategies of the literature for the repeated prisoner's dilemma, each with its source, found by name.

A line is a name, a machine or a rule, how much memory it needs, and where it comes from. "Ranked" is the place among
the 15 entries of the first and the 63 of the second of Axelrod's tournaments. Where a published description leaves
room, the line reads it as Axelrod-Python 4.14 does, against which all of them are checked, action by action or score by
score.
"""

import difflib
from itertools import pairwise
from math import inf

from ludus.iterated import counting, first_tournament, second_tournament
from ludus.iterated.machine import (
    Machine,
    Rule,
    Strategy,
    checked,
    from_history,
    machine,
    mealy,
    memory,
    memory_one,
)
from ludus.iterated.zero_determinant import zero_determinant

STANDARD = (3.0, 0.0, 5.0, 1.0)  # reward, sucker, temptation, punishment, for the rules that look at payoffs

FIRST = "Axelrod (1980), Effective choice in the prisoner's dilemma"
SECOND = "Axelrod (1980), More effective choice in the prisoner's dilemma"
PRISON = "LIFL, Lille (1998), the PRISON simulator"
LI = "Li, Hingston and Kendall (2011), Engineering design of strategies for winning IPD competitions"
STEWART = "Stewart and Plotkin (2012), Extortion and cooperation in the prisoner's dilemma"
KUHN = "Kuhn (2017), Prisoner's dilemma, Stanford Encyclopedia of Philosophy"
POPULATIONS = "Ashlock and Ashlock (2006), Changes in PD strategies with different population sizes, CEC"
SENSITIVITY = "Ashlock, Kim and Leahy (2006), Understanding representational sensitivity in the IPD with fingerprints"
FINGERPRINTS = "Ashlock and Kim (2008), Fingerprinting: visualization and automatic analysis of PD strategies"
NOISY = "Ashlock, Kim and Ashlock (2009), Fingerprint analysis of the noisy prisoner's dilemma"
OPPONENTS = "Ashlock, Brown and Hingston (2015), Multiple opponent optimization of PD playing agents"
BOOK = "Axelrod (1984), The evolution of cooperation"
MITTAL = "Mittal and Deb (2009), Optimal strategies of the iterated prisoner's dilemma problem"
LORBERBAUM = "Boyd and Lorberbaum (1987), No pure strategy is evolutionarily stable"
HILBE = "Hilbe, Nowak and Traulsen (2013), Adaptive dynamics of extortion and compliance"
NACHBAR = "Nachbar (1992), Evolution in the finitely repeated prisoner's dilemma"
ONLINE = "the competition of prisoners-dilemma.com, as of 2017"
HETEROGENEOUS = "Nowak and Sigmund (1992), Tit for tat in heterogeneous populations"
FREAN = "Frean (1994), The prisoner's dilemma without synchrony"
PAVLOV = "Kraines and Kraines (1989), Pavlov; Nowak and Sigmund (1993)"
ADAMI = "Adami and Hintze (2013), Evolutionary instability of zero-determinant strategies"
AKIN = "Akin (2015), What you gotta know to play good in the iterated prisoner's dilemma"
BERG = "van den Berg and Weissing (2015), The importance of mechanisms for the evolution of cooperation"
PRESS = (
    "Press and Dyson (2012), Iterated prisoner's dilemma contains strategies that dominate any evolutionary opponent"
)
ROEMHELD = "Roemheld (2013), Evolutionary extortion and mischief, arXiv:1308.2576"
MEMORY_N = "Hilbe, Martinez-Vaquero, Chatterjee and Nowak (2017), Memory-n strategies of direct reciprocity"
RIVALRY = "Murase and Baek (2020), Five rules for friendly rivalry in direct reciprocity"
TRUST = "Case (2017), The evolution of trust"
ROBSON = "Robson (1990), Efficiency in evolutionary games: Darwin, Nash and the secret handshake"
NOVEL = "Li and Kendall (2009), A strategy with novel evolutionary features for the iterated prisoner's dilemma"
EXPLOITATION = "Ashlock, Tsang and Ashlock (2014), The evolution of exploitation, FOCI"
GRADUAL = "Beaufils, Delahaye and Mathieu (1997), Our meeting with gradual"
CRISTAL = "CRIStAL, Lille (2018), the package ipd"
SLANY = "Slany and Kienreich (2007), On some winning strategies for the iterated prisoner's dilemma"
LI_2007 = "Li (2007), How to design a strategy to win an IPD tournament"
ANDRE = "Andre et al. (2013), Iterated prisoner's dilemma: an extended analysis"
ARNOLD = "Arnold (2016), CoopSim"
HAUERT = "Hauert and Stenull (2002), Simple adaptive strategy wins the prisoner's dilemma"
LIBRARY = "Axelrod-Python 4.14, first written down there"


def _nydegger(turns: list[tuple[int, int]]) -> float:
    """A sum of points over the last three turns, with weights 16, 4 and 1 from the last one back."""
    if len(turns) < 3:
        if [other for _, other in turns] == [1, 0]:
            return 0.0  # defected against alone at first, and the only one to defect then
        return 1.0 - turns[-1][1] if turns else 1.0
    total = sum(weight * (own + 2 * other) for weight, (own, other) in zip((1, 4, 16), turns, strict=True))
    return float(total not in {1, 6, 7, 17, 22, 23, 26, 29, 30, 31, 33, 38, 39, 45, 49, 54, 55, 58, 61})


def _leyvraz(turns: list[tuple[int, int]]) -> float:
    *_, third, second, last = [0, 0, 0] + [other for _, other in turns]
    if second and last:
        return 0.25
    return 1.0 if third else 0.0 if second else 0.5 if last else 1.0


_CAPRI = {  # own actions, the other's, the oldest first: where the strategy cooperates; defection elsewhere
    *("CCC CCC", "CCD CCC", "CDC CCD", "DCC CDC", "CCC DCC", "CCD CDC", "CDC DCC", "DCC CCC"),
    *("DDD DDC", "DDC DCC", "DDC DDD", "DCC DDC", "DDC DDC", "DCC DCC"),
}


def _capri(turns: list[tuple[int, int]]) -> float:
    padded = ([(0, 0)] * 3 + turns)[-3:]
    own, other = ("".join("CD"[action] for action in actions) for actions in zip(*padded, strict=True))
    return float(f"{own} {other}" in _CAPRI)


def _standing(mine: bool, others: bool) -> tuple[float, ...]:
    """A state of contrite tit for tat: whether both are in good standing, as the index 2 * mine bad + other's bad."""
    provoked, excused = mine and not others, others and not mine
    ends = [
        2 * (own == 1 and not provoked) + (other == 1 and not excused) for own in (0, 1) for other in (0, 1)
    ]  # who defects against one in good standing, or unprovoked, loses one's own
    return (float(not provoked), *ends)


def _cycle(actions: str) -> Machine:
    places = [(place + 1) % len(actions) for place in range(len(actions))]
    return machine(*[(action == "C", place, place) for action, place in zip(actions, places, strict=True)])


def _copy(first: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The two states of tit for tat, where they are states `first` and the next one."""
    return (1, first, first + 1), (0, first, first + 1)


_MACHINES = (
    # --- one state or a clock
    Strategy("cooperator", machine((1, 0, 0)), 0, BOOK),
    Strategy("defector", machine((0, 0, 0)), 0, BOOK),
    Strategy("random", machine((0.5, 0, 0)), 0, f"{FIRST}; ranked 15 of 1980"),
    Strategy("alternator", _cycle("CD"), 0, BOOK),
    Strategy("cycler_ccd", _cycle("CCD"), 0, MITTAL),
    Strategy("cycler_ddc", _cycle("DDC"), 0, MITTAL),
    Strategy("cycler_cccd", _cycle("CCCD"), 0, LIBRARY),
    Strategy("cycler_cccdcd", _cycle("CCCDCD"), 0, LIBRARY),
    # --- tit for tat and its kin
    Strategy("tit_for_tat", machine(*_copy(0)), 1, f"Rapoport, in {FIRST}; ranked 1 of 1980, 1 of 1981"),
    Strategy("suspicious_tit_for_tat", machine((0, 1, 0), (1, 1, 0)), 1, LORBERBAUM),
    Strategy("anti_tit_for_tat", machine((1, 1, 0), (0, 1, 0)), 1, HILBE),
    Strategy("bully", machine((0, 0, 1), (1, 0, 1)), 1, NACHBAR),
    Strategy(
        "tit_for_two_tats",
        machine((1, 0, 1), (1, 0, 2), (0, 0, 2)),
        2,
        f"Maynard Smith, in {SECOND}; ranked 24 of 1981",
    ),
    Strategy("two_tits_for_tat", machine((1, 0, 1), (0, 2, 1), (0, 0, 1)), 2, BOOK),
    Strategy("hard_tit_for_tat", machine((1, 0, 1), (0, 2, 1), (0, 3, 1), (0, 0, 1)), 3, ONLINE),
    Strategy(
        "hard_tit_for_two_tats",
        from_history(3, lambda turns: float((1, 1) not in pairwise(other for _, other in turns))),
        3,
        STEWART,
    ),
    Strategy(
        "slow_tit_for_two_tats",
        from_history(
            2, lambda turns: 1.0 - (turns[1][1] if turns[0][1] == turns[1][1] else turns[1][0]) if turns[1:] else 1.0
        ),
        2,
        PRISON,
    ),
    Strategy(
        "three_tits_for_two_tats",
        machine((1, 0, 1), (1, 0, 2), (0, 3, 2), (0, 4, 5), (0, 0, 1), (0, 0, 2)),
        4,
        LIBRARY,
    ),
    Strategy(
        "contrite_tit_for_tat",
        machine(*[_standing(mine, others) for mine in (True, False) for others in (True, False)]),
        inf,
        "Wu and Axelrod (1995), How to cope with noise in the iterated prisoner's dilemma; by the standings of "
        "Boerlijst, Nowak and Sigmund (1997), The logic of contrition",
    ),
    Strategy("generous_tit_for_tat", memory_one(1, 1, 1 / 3, 1, 1 / 3), 1, HETEROGENEOUS),
    Strategy("firm_but_fair", memory_one(1, 1, 0, 1, 2 / 3), 1, FREAN),
    Strategy("soft_joss", memory_one(1, 1, 0.1, 1, 0.1), 1, PRISON),
    Strategy("spiteful_tit_for_tat", machine((1, 0, 1), (0, 0, 2), (0, 2, 2)), inf, PRISON),
    # --- memory of one turn
    Strategy("win_stay_lose_shift", memory_one(1, 1, 0, 0, 1), 1, PAVLOV),
    Strategy("win_shift_lose_stay", memory_one(0, 0, 1, 1, 0), 1, LI),
    Strategy("stochastic_win_stay_lose_shift", memory_one(1, 0.95, 0.05, 0.05, 0.95), 1, LIBRARY),
    Strategy("stochastic_cooperator", memory_one(1, 0.935, 0.229, 0.266, 0.42), 1, ADAMI),
    Strategy("repeat", memory_one(0.6, 1, 1, 0, 0), 1, AKIN),
    Strategy("desperate", memory_one(0.5, 0, 0, 0, 1), 1, BERG),
    Strategy("hopeless", memory_one(0.5, 0, 1, 1, 1), 1, BERG),
    Strategy("willing", memory_one(0.5, 1, 1, 1, 0), 1, BERG),
    Strategy("negation", memory_one(0.5, 0, 1, 0, 1), 1, ONLINE),
    # --- zero determinant
    Strategy("zd_extort_2", zero_determinant(1 / 2, 1, 1 / 9), 1, STEWART),
    Strategy("zd_extort_2_version_2", zero_determinant(1 / 2, 1, 1 / 8), 1, KUHN),
    Strategy("zd_extort_3", zero_determinant(1 / 3, 1, 3 / 26), 1, PRESS),
    Strategy("zd_extort_4", zero_determinant(1 / 4, 1, 4 / 17), 1, LIBRARY),
    Strategy("zd_extortion", zero_determinant(0.1, 1, 0.2), 1, ROEMHELD),
    Strategy("zd_mischief", zero_determinant(0, 1, 0.1), 1, ROEMHELD),
    Strategy("zd_generous_2", zero_determinant(1 / 2, 3, 1 / 8), 1, KUHN),
    Strategy("zd_generous_tit_for_tat_2", zero_determinant(1 / 2, 3, 1 / 4), 1, STEWART),
    Strategy("zd_set_2", zero_determinant(0, 2, 1 / 4), 1, KUHN),
    # --- memory of two and three turns
    Strategy(
        "all_or_none_2",
        from_history(2, lambda turns: float(len(turns) < 2 or all(own == other for own, other in turns))),
        2,
        MEMORY_N,
    ),
    Strategy("capri", from_history(3, _capri), 3, RIVALRY),
    # --- the tournaments
    Strategy("nydegger", from_history(3, _nydegger), 3, f"{FIRST}; ranked 3 of 1980"),
    Strategy("grofman", memory_one(1, 1, 2 / 7, 2 / 7, 1), 1, f"{FIRST}; ranked 4 of 1980"),
    Strategy("grim", machine((1, 0, 1), (0, 1, 1)), inf, f"Friedman, in {FIRST}; ranked 7 of 1980"),
    Strategy("joss", memory_one(1, 0.9, 0, 0.9, 0), 1, f"{FIRST}; ranked 12 of 1980"),
    Strategy("leyvraz", from_history(3, _leyvraz), 3, f"{SECOND}; ranked 12 of 1981"),
    Strategy(
        "colbert",
        mealy(
            "C", "2C 2C", "3C 3C", "4C 4C", "5C 5C", "6D 6D", "7C 7C", "8C 8C", "8C 9D", "10D 10D", "11C 11C", "8C 8C"
        ),
        inf,
        f"{SECOND}; ranked 18 of 1981",
    ),
    Strategy(
        "tester",
        machine((0, 1, 4), (1, 2, 4), (1, 3, 4), (0, 2, 4), (1, 4, 5), (0, 4, 5)),
        inf,
        f"Gladstein, in {SECOND}, as described there; ranked 46 of 1981",
    ),
    # --- grudges
    Strategy(
        "soft_grudger", machine((1, 0, 1), (0, 2, 2), (0, 3, 3), (0, 4, 4), (0, 5, 5), (1, 6, 6), (1, 0, 1)), inf, LI
    ),
    Strategy("grudger_alternator", machine((1, 0, 1), (0, 2, 2), (1, 1, 1)), inf, PRISON),
    Strategy("easy_go", machine((0, 0, 1), (1, 1, 1)), inf, PRISON),
    Strategy("opposite_grudger", machine((0, 1, 0), (1, 1, 1)), inf, LIBRARY),
    Strategy("aggravater", machine((0, 1, 4), (0, 2, 4), (0, 3, 4), (1, 3, 4), (0, 4, 4)), inf, LIBRARY),
    Strategy("fool_me_once", machine((1, 0, 1), (1, 1, 2), (0, 2, 2)), inf, LIBRARY),
    # --- tests of the other
    Strategy("prober", machine((0, 1, 1), (1, 2, 3), (1, 4, 6), (1, 5, 6), (0, 4, 4), *_copy(5)), inf, LI),
    Strategy("prober_2", machine((0, 1, 1), (1, 2, 3), (1, 5, 6), (1, 4, 6), (1, 4, 4), *_copy(5)), inf, PRISON),
    Strategy("prober_3", machine((0, 1, 1), (1, 2, 4), (0, 2, 2), *_copy(3)), inf, PRISON),
    Strategy(
        "hard_prober",
        machine((0, 1, 1), (0, 2, 3), (1, 4, 5), (1, 5, 5), (1, 6, 6), (1, 7, 8), (0, 6, 6), *_copy(7)),
        inf,
        PRISON,
    ),
    Strategy("naive_prober", memory_one(1, 0.9, 0, 0.9, 0), 1, LI),
    Strategy("remorseful_prober", machine((1, 1, 2, 1, 2), (0.9, 1, 2, 1, 3), (0, 1, 2, 1, 2), (1, 1, 2, 1, 2)), 2, LI),
    Strategy(
        "detective",
        machine((1, 1, 4), (0, 2, 5), (1, 3, 6), (1, 7, 9), (0, 5, 5), (1, 6, 6), (1, 8, 9), (0, 7, 7), *_copy(8)),
        inf,
        TRUST,
    ),
    Strategy("handshake", machine((1, 1, 2), (0, 3, 4), (0, 3, 3), (0, 3, 3), (1, 4, 4)), inf, ROBSON),
    Strategy("collective_strategy", machine((1, 1, 2), (0, 3, 4), (0, 3, 3), (0, 3, 3), (1, 4, 3)), inf, NOVEL),
    # --- automata found by evolution and in fingerprints
    Strategy("fortress_3", mealy("D", "1D 2D", "1D 3C", "3C 1D"), inf, POPULATIONS),
    Strategy("fortress_4", mealy("D", "1D 2D", "1D 3D", "1D 4C", "4C 1D"), inf, POPULATIONS),
    Strategy(
        "predator",
        mealy("C", "1D 2D", "3D 4D", "5C 4D", "6D 5C", "3C 7D", "8D 4D", "8C 8D", "9D 8D", "9D 7D"),
        inf,
        POPULATIONS,
    ),
    Strategy("pun_1", mealy("D", "2C 2C", "1C 1D"), 1, SENSITIVITY),
    Strategy("raider", mealy("D", "3D 3D", "2C 2D", "1D 4C", "1D 2C"), inf, EXPLOITATION),
    Strategy("ripoff", mealy("D", "2C 3C", "1D 3C", "3C 3D"), inf, FINGERPRINTS),
    Strategy("thumper", mealy("C", "1C 2D", "1D 1D"), inf, FINGERPRINTS),
    Strategy("usually_cooperates", mealy("C", "1C 2C", "1D 1C"), inf, NOISY),
    Strategy("usually_defects", mealy("D", "2D 1D", "1D 1C"), inf, NOISY),
    Strategy("solution_b1", mealy("D", "2D 1D", "2C 3C", "3C 3C"), inf, OPPONENTS),
    Strategy("solution_b5", mealy("D", "2C 6D", "2C 3D", "6C 1D", "3C 6D", "5D 4D", "3C 5D"), inf, OPPONENTS),
    Strategy("evolved_automaton_4", mealy("C", "1C 3D", "4D 1C", "3D 2C", "4D 2D"), inf, LIBRARY),
)

_RULES = (
    Strategy(
        "tideman_and_chieruzzi",
        Rule(first_tournament.tideman_and_chieruzzi, 6, STANDARD),
        inf,
        f"{FIRST}; ranked 2 of 1980",
    ),
    Strategy("shubik", Rule(first_tournament.shubik, 2), inf, f"{FIRST}; ranked 5 of 1980"),
    Strategy("stein_and_rapoport", Rule(first_tournament.stein_and_rapoport, 3), inf, f"{FIRST}; ranked 6 of 1980"),
    Strategy("davis", Rule(first_tournament.davis, 1), inf, f"{FIRST}; ranked 8 of 1980"),
    Strategy("graaskamp", Rule(first_tournament.graaskamp, 7, (15,)), inf, f"{FIRST}; ranked 9 of 1980"),
    Strategy("downing", Rule(first_tournament.downing, 5, STANDARD), inf, f"{FIRST}; ranked 10 of 1980"),
    Strategy("feld", Rule(first_tournament.feld, 0), 1, f"{FIRST}; ranked 11 of 1980"),
    Strategy("tullock", Rule(first_tournament.tullock, 1), 10, f"{FIRST}; ranked 13 of 1980"),
    Strategy("champion", Rule(second_tournament.champion, 1), inf, f"{SECOND}; ranked 2 of 1981"),
    Strategy("borufsen", Rule(second_tournament.borufsen, 8), inf, f"{SECOND}; ranked 3 of 1981"),
    Strategy("cave", Rule(second_tournament.cave, 1), inf, f"{SECOND}; ranked 4 of 1981"),
    Strategy("adams", Rule(second_tournament.adams, 1), inf, f"{SECOND}; ranked 5 of 1981"),
    Strategy(
        "graaskamp_and_katzen",
        Rule(second_tournament.graaskamp_and_katzen, 5, STANDARD),
        inf,
        f"{SECOND}; ranked 6 of 1981",
    ),
    Strategy("weiner", Rule(second_tournament.weiner, 4), inf, f"{SECOND}; ranked 7 of 1981"),
    Strategy(
        "tideman_and_chieruzzi_1981",
        Rule(second_tournament.tideman_and_chieruzzi, 7, STANDARD),
        inf,
        f"{SECOND}; ranked 9 of 1981",
    ),
    Strategy("kluepfel", Rule(second_tournament.kluepfel, 6), inf, SECOND),
    Strategy("getzler", Rule(second_tournament.getzler, 1), inf, f"{SECOND}; ranked 11 of 1981"),
    Strategy("white", Rule(second_tournament.white, 1), inf, f"{SECOND}; ranked 13 of 1981"),
    Strategy("eatherley", Rule(second_tournament.eatherley, 1), inf, SECOND),
    Strategy("black", Rule(second_tournament.black, 1), 5, f"{SECOND}; ranked 15 of 1981"),
    Strategy("hufford", Rule(second_tournament.hufford, 8), inf, f"{SECOND}; ranked 16 of 1981"),
    Strategy("yamachi", Rule(second_tournament.yamachi, 11), inf, f"{SECOND}; ranked 17 of 1981"),
    Strategy("mikkelson", Rule(second_tournament.mikkelson, 2), inf, f"{SECOND}; ranked 20 of 1981"),
    Strategy("rowsam", Rule(second_tournament.rowsam, 7, STANDARD), inf, f"{SECOND}; ranked 21 of 1981"),
    Strategy("appold", Rule(second_tournament.appold, 6), inf, f"{SECOND}; ranked 22 of 1981"),
    Strategy("soft_majority", Rule(counting.majority, 2, (0, 1)), inf, f"Grisell, in {SECOND}; ranked 23 of 1981"),
    Strategy(
        "tranquilizer",
        Rule(second_tournament.tranquilizer, 11, STANDARD),
        inf,
        f"Feathers, in {SECOND}; ranked 27 of 1981",
    ),
    Strategy("grofman_1981", Rule(second_tournament.grofman, 1), 8, SECOND),
    Strategy(
        "gladstein", Rule(second_tournament.gladstein, 2), inf, f"{SECOND}, as its Fortran does; ranked 46 of 1981"
    ),
    Strategy("hard_majority", Rule(counting.majority, 2, (0, 0)), inf, MITTAL),
    Strategy("soft_majority_5", Rule(counting.majority, 2, (5, 1)), 5, LIBRARY),
    Strategy("hard_majority_10", Rule(counting.majority, 2, (10, 0)), 10, LIBRARY),
    Strategy("forgiver", Rule(counting.forgiver, 1, (0,)), inf, LIBRARY),
    Strategy("forgiving_tit_for_tat", Rule(counting.forgiver, 1, (1,)), inf, LIBRARY),
    Strategy("gradual", Rule(counting.gradual, 3, (0,)), inf, GRADUAL),
    Strategy("gradual_all_counted", Rule(counting.gradual, 3, (1,)), inf, CRISTAL),
    Strategy("omega_tit_for_tat", Rule(counting.omega, 3), inf, SLANY),
    Strategy("adaptive", Rule(counting.adaptive, 4, STANDARD), inf, LI),
    Strategy("adaptive_pavlov_2006", Rule(counting.adaptive_pavlov_2006, 2), inf, LI_2007),
    Strategy("adaptive_pavlov_2011", Rule(counting.adaptive_pavlov_2011, 2), inf, LI),
    Strategy("retaliate", Rule(counting.retaliate, 2, (0.1,)), inf, LIBRARY),
    Strategy("limited_retaliate", Rule(counting.limited_retaliate, 3, (0.1, 20)), inf, LIBRARY),
    Strategy("short_memory", Rule(counting.short_memory, 1), 10, ANDRE),
    Strategy("very_bad", Rule(counting.very_bad, 1), inf, ANDRE),
    Strategy("average_copier", Rule(counting.average_copier, 1, (0.5,)), inf, LIBRARY),
    Strategy("nice_average_copier", Rule(counting.average_copier, 1, (1,)), inf, LIBRARY),
    Strategy("worse_and_worse", Rule(counting.worse_and_worse, 0), 0, PRISON),
    Strategy("worse_and_worse_2", Rule(counting.worse_and_worse_2, 0), 1, PRISON),
    Strategy("level_punisher", Rule(counting.level_punisher, 1), inf, ARNOLD),
    Strategy("punisher", Rule(counting.punisher, 4, (1,)), inf, LIBRARY),
    Strategy("inverse_punisher", Rule(counting.punisher, 4, (0,)), inf, LIBRARY),
    Strategy("prober_4", Rule(counting.prober_4, 2), inf, PRISON),
    Strategy("adaptor_brief", Rule(counting.adaptor, 4, (0, -1.001505, 0.992107, -0.638734)), inf, HAUERT),
    Strategy("adaptor_long", Rule(counting.adaptor, 4, (0, 1.888159, 1.858883, -0.995703)), inf, HAUERT),
    Strategy("random_hunter", Rule(counting.random_hunter, 5), inf, LIBRARY),
)

STRATEGIES: dict[str, Strategy] = {line.name: line for line in (*_MACHINES, *_RULES)}


def strategy(name: str) -> Strategy:
    """The line of the catalogue. Raises ValueError, with names that look alike, where there is none."""
    if name not in STRATEGIES:
        near = ", ".join(difflib.get_close_matches(name, STRATEGIES, 3)) or "see ludus.iterated.strategies.STRATEGIES"
        raise ValueError(f"name: the catalogue has no strategy {name!r}; nearest: {near}")
    return STRATEGIES[name]


def resolved(entry: str | Strategy | Machine | Rule, number: int = 0) -> Strategy:
    """A name, a line of the catalogue, or a machine or rule of one's own, which is then called by its number."""
    if isinstance(entry, str):
        return strategy(entry)
    if isinstance(entry, Strategy):
        return entry
    if isinstance(entry, Machine):
        return Strategy(f"machine {number}", checked(entry), memory(entry), "")
    if isinstance(entry, Rule):
        return Strategy(f"rule {number}", entry, inf, "")
    raise ValueError(
        f"strategies: give names, machines or rules; {type(entry).__name__} seen; names stand in STRATEGIES"
    )
