"""Axelrod's first tournament (1980), as far as its entries need counters; the others are machines in the catalogue.

Axelrod (1980), "Effective choice in the prisoner's dilemma", Journal of Conflict Resolution 24, pages 3 to 25,
describes every entry in words. Where the words leave room, these rules read them as Axelrod-Python 4.14 does, so that
results can be compared.
"""

from numba import njit

CHI_SQUARED = 3.841458820694124  # its upper 5% point with one degree of freedom


@njit(cache=True)
def _even_odds(cooperations, defections):
    """Whether a chi-squared test at 5% leaves it possible that both actions are equally likely."""
    return (cooperations - defections) ** 2 <= CHI_SQUARED * (cooperations + defections)


@njit(cache=True)
def davis(memory, parameters, turn, turns, own, other):
    """Cooperates for ten turns, then for as long as the other has never defected. memory[0]: it has."""
    if turn > 0 and other == 1:
        memory[0] = 1
    return 0.0 if turn >= 10 and memory[0] else 1.0


@njit(cache=True)
def downing(memory, parameters, turn, turns, own, other):
    """Plays what pays more if the other answers C and D with the frequencies seen so far; defects twice at first.

    memory: own C and D, the other's C after own C (the opening counts as one such answer) and after own D, own action
    of the turn before the last. Parameters: reward, sucker, temptation, punishment.
    """
    if turn == 0:
        return 0.0
    before, memory[4] = memory[4], own
    memory[own] += 1
    if other == 0:
        if turn == 1 or before == 0:
            memory[2] += 1
        elif before == 1:
            memory[3] += 1
    if turn == 1:
        return 0.0
    answer_c = memory[2] / (memory[0] + 1)
    answer_d = memory[3] / max(memory[1], 2)
    cooperating = answer_c * parameters[0] + (1 - answer_c) * parameters[1]
    defecting = answer_d * parameters[2] + (1 - answer_d) * parameters[3]
    if cooperating == defecting:
        return 1.0 * own  # the other action than last time
    return 1.0 if cooperating > defecting else 0.0


@njit(cache=True)
def feld(memory, parameters, turn, turns, own, other):
    """Tit for tat, whose answer to cooperation becomes less sure, from 1 down to 1/2 at turn 200."""
    if turn == 0:
        return 1.0
    return 0.0 if other == 1 else max(1.0 - 0.5 / 200 * turn, 0.5)


@njit(cache=True)
def graaskamp(memory, parameters, turn, turns, own, other):
    """Tit for tat for 56 turns but for a defection at the 51st; then it defects for good against a random player, plays
    tit for tat against itself and tit for tat, and else defects once in 5 to 15 turns.

    The turn of the next defection is drawn evenly from 5 to 15 turns on; seen turn by turn, that is one chance in those
    that are left. (Axelrod-Python draws from 5 to 14.) parameters[0]: the longest wait, 15.
    memory: the other's C and D, it was taken for random, it once did not copy, it once did not mirror, own action
    before, one more than the turns since the last draw.
    """
    if turn > 0:
        memory[other] += 1
        if turn > 1 and other != memory[5]:
            memory[3] = 1
        if own != other:
            memory[4] = 1
        memory[5] = own
    if turn == 0:
        return 1.0
    if turn < 56:
        return 0.0 if other == 1 or turn == 50 else 1.0
    if _even_odds(memory[0], memory[1]):
        memory[2] = 1
    if memory[2]:
        return 0.0
    if not (memory[3] and memory[4]):
        return 1.0 if other == 0 else 0.0
    if memory[6] == 0:  # the first draw, made now
        memory[6] = 1
        return 1.0
    if own == 1 and memory[6] >= 6:
        memory[6] = 2  # it defected at the turn before, and drew anew
    elif memory[6] <= parameters[0]:
        memory[6] += 1
    wait = memory[6] - 1
    return 1.0 if wait < 5 else 1.0 - 1.0 / (parameters[0] + 1 - wait)


@njit(cache=True)
def shubik(memory, parameters, turn, turns, own, other):
    """Answers the other's k-th departure from mutual cooperation with k defections. memory: k, defections to come."""
    if turn == 0:
        return 1.0
    if memory[1] > 0:
        memory[1] -= 1
        return 0.0
    if other == 1 and own == 0:
        memory[0] += 1
        memory[1] = memory[0] - 1
        return 0.0
    return 1.0


@njit(cache=True)
def stein_and_rapoport(memory, parameters, turn, turns, own, other):
    """Four cooperations, tit for tat, two defections at the end; every 15 turns it asks whether the other is random.

    memory: the other's C and D, the answer; it defects while that is yes.
    """
    if turn > 0:
        memory[other] += 1
    if (turn + 1) % 15 == 0:
        memory[2] = _even_odds(memory[0], memory[1])
    if turn >= turns - 2:
        return 0.0
    if turn < 4:
        return 1.0
    return 0.0 if memory[2] or other == 1 else 1.0


@njit(cache=True)
def tideman_and_chieruzzi(memory, parameters, turn, turns, own, other):
    """Each defection of the other is answered by one defection more than the last; a fresh start is given at times.

    memory: length of the retaliation, defections to come, turns won less turns lost, turn of the last fresh start, a
    second cooperation is due, the other's defections since then. Parameters: reward, sucker, temptation, punishment.
    """
    if turn == 0:
        return 1.0 if turn < turns - 2 else 0.0
    memory[5] += other
    memory[2] += own - other
    last = turn >= turns - 2
    if memory[4]:
        memory[4] = 0
        return 0.0 if last else 1.0
    now, lead = turn + 1, memory[2] * (parameters[2] - parameters[1])
    if (memory[3] == 0 or now - memory[3] >= 20) and lead >= 10 and turns - now >= 10 and other == 0:
        spread = 1.5 * turn**0.5
        if memory[5] <= turn / 2 - spread or memory[5] >= turn / 2 + spread:
            memory[0], memory[1], memory[5] = 0, 0, 0
            memory[3], memory[4] = now, 1
            return 0.0 if last else 1.0
    if memory[1] > 0:
        memory[1] -= 1
        return 0.0
    if other == 1:
        memory[0] += 1
        memory[1] = memory[0] - 1
        return 0.0
    return 0.0 if last else 1.0


@njit(cache=True)
def tullock(memory, parameters, turn, turns, own, other):
    """Eleven cooperations, then a tenth less often than the other in ten turns. memory[0]: those, as bits."""
    if turn > 0:
        memory[0] = (memory[0] << 1 | other) & 1023
    if turn < 11:
        return 1.0
    defections = 0
    for back in range(10):
        defections += memory[0] >> back & 1
    return max(0.0, (10 - defections) / 10 - 0.1)
