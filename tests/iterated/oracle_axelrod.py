"""The catalogue against Axelrod-Python, strategy by strategy. Run where the peers are:

    PYTHONPATH=src .venv-peers/bin/python tests/iterated/oracle_axelrod.py

Strategies without chance must play the same 200 actions against one another, all pairs. Those with chance, and some
under noise, must earn the same and cooperate as often, within 4.5 standard errors of the difference: a false alarm in
100,000 comparisons, of which there are about 1,200. What was played against a few opponents is written to
axelrod_sequences.txt, which the ordinary tests replay.
"""

import importlib.metadata
import sys
from pathlib import Path

import numpy as np

from ludus.iterated.machine import PRISONERS_DILEMMA, payoffs
from ludus.iterated.match import match, outcomes
from ludus.iterated.strategies import STRATEGIES

SEQUENCES = Path(__file__).with_name("axelrod_sequences.txt")
TURNS, STORED, REPETITIONS, SIGMA = 200, 60, 150, 4.5
OPPONENTS = ("anti_tit_for_tat", "bully", "cycler_cccdcd", "predator", "nydegger")
SPARRING = ("tit_for_tat", "win_stay_lose_shift", "cycler_ccd", "predator", "random", "zd_extort_2")
NOISY = ("tit_for_tat", "win_stay_lose_shift", "grim", "fortress_3", "predator", "two_tits_for_tat", "all_or_none_2",
         "nydegger", "zd_generous_2", "davis", "soft_majority", "omega_tit_for_tat", "leyvraz", "capri")  # fmt: skip

NAMES = {
    "cooperator": "Cooperator", "defector": "Defector", "random": "Random", "alternator": "Alternator",
    "cycler_ccd": "CyclerCCD", "cycler_ddc": "CyclerDDC", "cycler_cccd": "CyclerCCCD", "cycler_cccdcd": "CyclerCCCDCD",
    "tit_for_tat": "TitForTat", "suspicious_tit_for_tat": "SuspiciousTitForTat", "anti_tit_for_tat": "AntiTitForTat",
    "bully": "Bully", "tit_for_two_tats": "TitFor2Tats", "two_tits_for_tat": "TwoTitsForTat",
    "hard_tit_for_tat": "HardTitForTat", "hard_tit_for_two_tats": "HardTitFor2Tats",
    "slow_tit_for_two_tats": "SlowTitForTwoTats2", "three_tits_for_two_tats": "NTitsForMTats",
    "contrite_tit_for_tat": "ContriteTitForTat", "generous_tit_for_tat": "GTFT", "firm_but_fair": "FirmButFair",
    "soft_joss": "SoftJoss", "spiteful_tit_for_tat": "SpitefulTitForTat", "win_stay_lose_shift": "WinStayLoseShift",
    "win_shift_lose_stay": "WinShiftLoseStay", "stochastic_win_stay_lose_shift": "StochasticWSLS",
    "stochastic_cooperator": "StochasticCooperator", "repeat": "ALLCorALLD", "desperate": "Desperate",
    "hopeless": "Hopeless", "willing": "Willing", "negation": "Negation", "zd_extort_2": "ZDExtort2",
    "zd_extort_2_version_2": "ZDExtort2v2", "zd_extort_3": "ZDExtort3", "zd_extort_4": "ZDExtort4",
    "zd_extortion": "ZDExtortion", "zd_mischief": "ZDMischief", "zd_generous_2": "ZDGen2",
    "zd_generous_tit_for_tat_2": "ZDGTFT2", "zd_set_2": "ZDSet2", "all_or_none_2": "AON2", "capri": "Capri",
    "nydegger": "FirstByNydegger", "grofman": "FirstByGrofman", "grim": "Grudger", "joss": "FirstByJoss",
    "leyvraz": "SecondByLeyvraz", "colbert": "SecondByColbert", "tester": "SecondByTester",
    "soft_grudger": "SoftGrudger", "grudger_alternator": "GrudgerAlternator", "easy_go": "EasyGo",
    "opposite_grudger": "OppositeGrudger", "aggravater": "Aggravater", "fool_me_once": "FoolMeOnce",
    "prober": "Prober", "prober_2": "Prober2", "prober_3": "Prober3", "hard_prober": "HardProber",
    "naive_prober": "NaiveProber", "remorseful_prober": "RemorsefulProber", "detective": "Detective",
    "handshake": "Handshake", "collective_strategy": "CollectiveStrategy", "fortress_3": "Fortress3",
    "fortress_4": "Fortress4", "predator": "Predator", "pun_1": "Pun1", "raider": "Raider", "ripoff": "Ripoff",
    "thumper": "Thumper", "usually_cooperates": "UsuallyCooperates", "usually_defects": "UsuallyDefects",
    "solution_b1": "SolutionB1", "solution_b5": "SolutionB5", "evolved_automaton_4": "EvolvedFSM4",
    "tideman_and_chieruzzi": "FirstByTidemanAndChieruzzi", "shubik": "FirstByShubik",
    "stein_and_rapoport": "FirstBySteinAndRapoport", "davis": "FirstByDavis", "graaskamp": "FirstByGraaskamp",
    "downing": "FirstByDowning", "feld": "FirstByFeld", "tullock": "FirstByTullock", "champion": "SecondByChampion",
    "borufsen": "SecondByBorufsen", "cave": "SecondByCave", "adams": "SecondByWmAdams",
    "graaskamp_and_katzen": "SecondByGraaskampKatzen", "weiner": "SecondByWeiner",
    "tideman_and_chieruzzi_1981": "SecondByTidemanAndChieruzzi", "kluepfel": "SecondByKluepfel",
    "getzler": "SecondByGetzler", "white": "SecondByWhite", "eatherley": "SecondByEatherley", "black": "SecondByBlack",
    "hufford": "SecondByRichardHufford", "yamachi": "SecondByYamachi", "mikkelson": "SecondByMikkelson",
    "rowsam": "SecondByRowsam", "appold": "SecondByAppold", "soft_majority": "GoByMajority",
    "tranquilizer": "SecondByTranquilizer", "grofman_1981": "SecondByGrofman", "gladstein": "SecondByGladstein",
    "hard_majority": "HardGoByMajority", "soft_majority_5": "GoByMajority5", "hard_majority_10": "HardGoByMajority10",
    "forgiver": "Forgiver", "forgiving_tit_for_tat": "ForgivingTitForTat", "gradual": "OriginalGradual",
    "gradual_all_counted": "Gradual", "omega_tit_for_tat": "OmegaTFT", "adaptive": "Adaptive",
    "adaptive_pavlov_2006": "APavlov2006", "adaptive_pavlov_2011": "APavlov2011", "retaliate": "Retaliate",
    "limited_retaliate": "LimitedRetaliate", "short_memory": "ShortMem", "very_bad": "VeryBad",
    "average_copier": "AverageCopier", "nice_average_copier": "NiceAverageCopier", "worse_and_worse": "WorseAndWorse",
    "worse_and_worse_2": "WorseAndWorse2", "level_punisher": "LevelPunisher", "punisher": "Punisher",
    "inverse_punisher": "InversePunisher", "prober_4": "Prober4", "adaptor_brief": "AdaptorBrief",
    "adaptor_long": "AdaptorLong", "random_hunter": "RandomHunter",
}  # fmt: skip


def ours(name):
    """Our strategy, read as Axelrod-Python reads it: its Graaskamp waits for at most 14 turns, the paper's for 15."""
    line = STRATEGIES[name]
    return line._replace(body=line.body._replace(parameters=(14,))) if name == "graaskamp" else line


def theirs(name):
    import axelrod

    return getattr(axelrod, NAMES[name])()


def played(one, two, turns, noise=0.0, seed=1):
    """A match of Axelrod-Python: int64[turns, 2]."""
    import axelrod

    actions = axelrod.Match((one, two), turns=turns, noise=noise, seed=seed).play()
    return np.array([[int(action == axelrod.Action.D) for action in pair] for pair in actions])


def told(actions):
    return "".join("CD"[action] for action in actions)


def same_actions(names):
    """Every pair of strategies without chance, 200 turns: the differences, as text."""
    wrong = []
    for place, one in enumerate(names):
        for two in names[place:]:
            mine = match(ours(one), ours(two), TURNS).action
            peer = played(theirs(one), theirs(two), TURNS)
            if (mine != peer).any():
                turn = int(np.argmax((mine != peer).any(axis=1)))
                wrong.append(
                    f"{one} and {two} differ at turn {turn}: {mine[turn]} here, {peer[turn]} there, after\n"
                    f"  {told(peer[:turn, 0])[-60:]}\n  {told(peer[:turn, 1])[-60:]}"
                )
    return wrong


def same_scores(pairs, noise):
    """Pairs with chance: mean payoff and cooperation of both players within SIGMA standard errors."""
    wrong = []
    for one, two in pairs:
        lines = [ours(one), ours(two)]
        rng = np.random.default_rng(7)
        mine, _ = outcomes(lines, np.array([0]), np.array([1]), TURNS, 4 * REPETITIONS, noise, rng)
        peer = np.empty((REPETITIONS, 4))
        for repetition in range(REPETITIONS):
            actions = played(theirs(one), theirs(two), TURNS, noise, repetition + 1)
            peer[repetition] = np.bincount(2 * actions[:, 0] + actions[:, 1], minlength=4)
        here, there = (
            np.column_stack([payoffs(shares, PRISONERS_DILEMMA), shares[:, :2].sum(axis=1), shares[:, ::2].sum(axis=1)])
            for shares in (mine[0] / TURNS, peer / TURNS)
        )
        spread = np.sqrt(here.var(axis=0, ddof=1) / len(here) + there.var(axis=0, ddof=1) / len(there))
        gap = here.mean(axis=0) - there.mean(axis=0)
        if (np.abs(gap) > SIGMA * spread + 1e-9).any():
            wrong.append(f"{one} and {two}, noise {noise}: {here.mean(axis=0)} here, {there.mean(axis=0)} there")
    return wrong


def main():
    import axelrod

    assert set(NAMES) == set(STRATEGIES), set(NAMES) ^ set(STRATEGIES)
    chance = {name for name in NAMES if axelrod.Classifiers["stochastic"](theirs(name))}
    sure = [name for name in NAMES if name not in chance]
    wrong = same_actions(sure)
    print(f"{len(sure)} strategies without chance, all pairs, {TURNS} turns: {len(wrong)} pairs differ", flush=True)
    pairs = [(one, two) for one in sorted(chance) for two in SPARRING]
    more = same_scores(pairs, 0.0)
    print(f"{len(chance)} strategies with chance, {len(pairs)} pairs: {len(more)} differ", flush=True)
    noisy = [(one, two) for place, one in enumerate(NOISY) for two in NOISY[place::3]]
    noise = same_scores(noisy, 0.05)
    print(f"{len(noisy)} pairs under noise: {len(noise)} differ", flush=True)
    lines = [
        f"# Axelrod-Python {importlib.metadata.version('axelrod')}: strategy, opponent, their first {STORED} actions"
    ]
    for one in sure:
        for two in OPPONENTS:
            actions = played(theirs(one), theirs(two), TURNS)[:STORED]
            lines.append(f"{one} {two} {told(actions[:, 0])} {told(actions[:, 1])}")
    SEQUENCES.write_text("\n".join(lines) + "\n", encoding="ascii")
    if wrong or more or noise:
        sys.exit("\n".join(wrong + more + noise))


if __name__ == "__main__":
    main()
