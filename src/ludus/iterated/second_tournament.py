"""Axelrod's second tournament (1981), as far as its entries need counters; the others are machines in the catalogue.

Axelrod (1980), "More effective choice in the prisoner's dilemma", Journal of Conflict Resolution 24, pages 379 to 403,
names the 62 entries; their Fortran was kept, and Axelrod-Python 4.14 says in words what it does. These rules follow
those words. Harrington, eighth, is not among them: it draws between two ways of defecting, which no probability of
cooperating says.
"""

import math

from numba import njit


@njit(cache=True)
def _bits(word, count):
    """How many of the lowest `count` bits are set."""
    found = 0
    for place in range(count):
        found += word >> place & 1
    return found


@njit(cache=True)
def champion(memory, parameters, turn, turns, own, other):
    """Cooperates for 10 turns, copies for 15, then forgives in the end whoever cooperates at least 60% of the time.

    memory[0]: the other's defections.
    """
    if turn > 0:
        memory[0] += other
    if turn < 10:
        return 1.0
    if turn < 25:
        return 1.0 - other
    share = memory[0] / turn
    return 1.0 - share if other == 1 and share >= 0.4 else 1.0


@njit(cache=True)
def borufsen(memory, parameters, turn, turns, own, other):
    """Tit for tat that mends echoes and mutual defection, and every 25 turns asks whether the other is worth it.

    memory: the other's C after own C and after own D since the last question, length of mutual defection, length of the
    echo, the next defection is to be turned round, it defects for good until the next question, own and the other's
    action of the turn before the last.
    """
    if turn == 0:
        return 1.0
    before_own, before_other = memory[6], memory[7]  # zeros, cooperation, at first
    memory[6], memory[7] = own, other
    now = turn + 1
    if now >= 3 and other == 0:
        memory[before_own] += 1
    if now > 2 and now % 25 == 2:
        was = memory[5]
        answers = memory[0] + memory[1]
        memory[5] = answers < 3 or (8 <= answers <= 17 and memory[0] / answers < 0.7)
        memory[0], memory[1] = 0, 0
        if memory[5]:
            memory[2], memory[3], memory[4] = 0, 0, 0
        elif was:
            return 0.0
    if memory[5]:
        return 0.0
    memory[2] = memory[2] + 1 if own == 1 and other == 1 else 0
    if memory[2] >= 3:
        memory[2], memory[3] = 0, 0
        return 1.0
    memory[3] = memory[3] + 1 if own != other and own == before_other and other == before_own else 0
    if memory[3] >= 3:
        memory[2], memory[3], memory[4] = 0, 0, 1
    if other == 1 and memory[4]:
        memory[4] = 0
        return 1.0
    return 1.0 - other


@njit(cache=True)
def cave(memory, parameters, turn, turns, own, other):
    """Gives up on those who defect often; else answers a defection by one, half of the time. memory[0]: those."""
    if turn == 0:
        return 1.0
    memory[0] += other
    share = memory[0] / (turn + 1)
    if (turn > 38 and share > 0.39) or (turn > 28 and share > 0.65) or (turn > 18 and share > 0.79):
        return 0.0
    if other == 0:
        return 1.0
    return 0.0 if memory[0] > 17 else 0.5


@njit(cache=True)
def adams(memory, parameters, turn, turns, own, other):
    """Counts the other's defections after the opening: it defects at 4, 7 and 9, and then forgives ever less.

    memory[0]: those.
    """
    if turn > 1:
        memory[0] += other
    if memory[0] == 4 or memory[0] == 7 or memory[0] == 9:
        return 0.0
    return 0.5 ** (memory[0] - 9) if memory[0] > 9 and other == 1 else 1.0


@njit(cache=True)
def graaskamp_and_katzen(memory, parameters, turn, turns, own, other):
    """Tit for tat, which at turns 11, 21, 31, 41, 51 and 101 asks for nearly three points a turn, and else gives up.

    memory: turns that ended CC, CD, DC, DD; it has given up. Parameters: reward, sucker, temptation, punishment.
    """
    if turn == 0:
        return 1.0
    memory[2 * own + other] += 1
    score = 0.0
    for outcome in range(4):
        score += memory[outcome] * parameters[outcome]
    if (turn == 10 or turn == 20 or turn == 30 or turn == 40 or turn == 50 or turn == 100) and score < 3 * turn - 7:
        memory[4] = 1
    return 0.0 if memory[4] else 1.0 - other


@njit(cache=True)
def weiner(memory, parameters, turn, turns, own, other):
    """Tit for tat that forgives at times, but defects against five defections in twelve turns, the last one left out.

    memory: it is about to forgive, the turn from which it may, the other's defections in a row, its last 13 actions as
    bits.
    """
    if turn == 0:
        return 1.0
    memory[3] = (memory[3] << 1 | other) & 8191
    answer = other
    if memory[0]:
        memory[0], memory[2] = 0, 0
        if memory[1] < turn + 1 and other == 1:
            memory[1] += 20
            answer = 0
    elif other == 1:
        memory[2] += 1
    else:
        memory[0] = memory[2] % 2
        memory[2] = 0
    return 0.0 if _bits(memory[3] >> 1, 12) >= 5 else 1.0 - answer


@njit(cache=True)
def tideman_and_chieruzzi(memory, parameters, turn, turns, own, other):
    """Cooperates while it leads by enough, and more is enough after each new run of defections; with fresh starts.

    memory: turns won less turns lost, points to lead by, what they grow by, turn of the last fresh start, a second
    cooperation is due, the other's defections, its action of the turn before. Parameters: reward, sucker, temptation,
    punishment.
    """
    if turn == 0:
        return 1.0
    before, memory[6] = memory[6], other
    memory[0] += own - other
    memory[5] += other
    if memory[4]:
        memory[0], memory[1], memory[2], memory[4] = 0, 0, 0, 0
        memory[3] = turn + 1
        return 1.0
    turned = before == 0 and other == 1
    if turned:
        memory[1] += memory[2]
        memory[2] += 5
    if memory[0] * (parameters[2] - parameters[1]) >= memory[1]:
        return 1.0
    spread = 1.5 * turn**0.5
    uneven = memory[5] <= turn / 2 - spread or memory[5] >= turn / 2 + spread
    if not turned and turn + 1 - memory[3] >= 10 and uneven:
        memory[4] = 1
        return 1.0
    return 0.0


@njit(cache=True)
def kluepfel(memory, parameters, turn, turns, own, other):
    """Answers in kind whoever repeats itself, more loosely whoever does not, and defects against a random player.

    memory: the other's C and D after own C, then after own D; its last three actions as bits; own action before.
    """
    if turn > 0:
        if turn > 1:
            memory[2 * memory[5] + other] += 1
        memory[4] = (memory[4] << 1 | other) & 7
        memory[5] = own
    if turn > 26:
        after_c, after_d = memory[0] + memory[1], memory[2] + memory[3]
        if memory[2] >= after_d / 2 - 0.75 * math.sqrt(after_d) and memory[1] >= after_c / 2 - 0.75 * math.sqrt(
            after_c
        ):
            return 0.0
    if memory[4] == 0 or memory[4] == 7:
        return 1.0 - memory[4] // 7
    if memory[4] & 3 == 0:
        return 0.9
    if memory[4] & 3 == 3:
        return 0.1
    return 0.7 if memory[4] & 1 == 0 else 0.4


@njit(cache=True)
def getzler(memory, parameters, turn, turns, own, other):
    """Defects with the sum of 1/2, 1/4, ... over the other's defections one, two, ... turns ago.

    memory[0]: that sum, in units of 2**-60.
    """
    if turn == 0:
        return 1.0
    memory[0] = memory[0] // 2 + (other << 59)
    return 1.0 - memory[0] / 2.0**60


@njit(cache=True)
def white(memory, parameters, turn, turns, own, other):
    """Ten cooperations; then a defection is answered where there were many for the time, memory[0] of them."""
    if turn == 0:
        return 1.0
    memory[0] += other
    now = turn + 1
    return 0.0 if now > 10 and other == 1 and math.floor(math.log(now)) * memory[0] >= now else 1.0


@njit(cache=True)
def black(memory, parameters, turn, turns, own, other):
    """Five cooperations, then by the other's defections in the last five turns. memory[0]: those, as bits."""
    if turn > 0:
        memory[0] = (memory[0] << 1 | other) & 31
    if turn < 5:
        return 1.0
    defections = _bits(memory[0], 5)
    return 1.0 if defections == 0 else 1.0 - (defections**2 - 1) / 25


@njit(cache=True)
def yamachi(memory, parameters, turn, turns, own, other):
    """Expects of the other what it has done most often in the same case; defects late against an even player.

    memory: how often its C and D followed on each of its action and own plan (8 counts), own plans and the other's
    actions as bits, the other's defections.
    """
    if turn > 0:
        memory[9] = (memory[9] << 1 | other) & 7
        memory[10] += other
    if turn > 1:  # the case of two turns ago, and what followed
        memory[4 * (memory[9] >> 2 & 1) + 2 * (memory[8] >> 1 & 1) + (memory[9] >> 1 & 1)] += 1
    plan = 0
    if turn > 0:
        case = 4 * (memory[9] >> 1 & 1) + 2 * (memory[8] & 1)
        plan = int(memory[case] < memory[case + 1])
    memory[8] = (memory[8] << 1 | plan) & 3
    even = turn >= 40 and 0.45 < (memory[10] + 0.5) / (turn + 1) < 0.55
    return 0.0 if even else 1.0 - plan


@njit(cache=True)
def mikkelson(memory, parameters, turn, turns, own, other):
    """Gives credit: one more for each cooperation, two less for each defection. memory: credit less 7, defections."""
    if turn == 0:
        return 1.0
    memory[0] = min(memory[0] + 1, 1) if other == 0 else max(memory[0] - 2, -14)
    memory[1] += other
    if turn == 1 or memory[0] + 7 > 0:
        return 1.0
    if turn < 10:
        memory[0] = 4 - 7
        return 0.0
    return 0.0 if memory[1] / (turn + 1) >= 0.15 else 1.0


@njit(cache=True)
def rowsam(memory, parameters, turn, turns, own, other):
    """Looks at its score every six turns: distrust grows where it is low, and seven points of it are enough.

    memory: turns that ended CC, CD, DC, DD; distrust; how many turns of an answer D, C, D are left; it has given up.
    Parameters: reward, sucker, temptation, punishment.
    """
    if turn > 0:
        memory[2 * own + other] += 1
    if memory[6]:
        return 0.0
    if memory[5] > 0:
        memory[5] -= 1
        return 1.0 if memory[5] == 1 else 0.0
    now = turn + 1
    if now % 18 == 0 and memory[4] >= 3:
        memory[4] -= 1
    if now % 6 != 0:
        return 1.0
    score = 0.0
    for outcome in range(4):
        score += memory[outcome] * parameters[outcome]
    score /= now
    if score >= 2.5:
        return 1.0
    memory[4] += 5 if score < 1.0 else 3 if score < 1.5 else 2 if score < 2.0 else 1
    if memory[4] >= 7:
        memory[6] = 1
    else:
        memory[5] = 2
    return 0.0


@njit(cache=True)
def appold(memory, parameters, turn, turns, own, other):
    """Cooperates as often as the other does after what it did two turns ago; the first late defection is forgiven.

    memory: turns after own C and D, the other's C among them, it has forgiven, own action before.
    """
    if turn > 0:
        before, memory[5] = memory[5], own  # at first, before is cooperation
        memory[before] += 1
        memory[2 + before] += 1 - other
    else:
        before = 0
    if turn < 4:
        return 1.0
    if other == 1 and not memory[4]:
        memory[4] = 1
        return 1.0
    return (memory[2 + before] + before) / (memory[before] + before)  # as if one D had been answered by C


@njit(cache=True)
def eatherley(memory, parameters, turn, turns, own, other):
    """Answers a defection by one with the share of defections so far. memory[0]: those."""
    if turn == 0:
        return 1.0
    memory[0] += other
    return 1.0 - memory[0] / turn if other == 1 else 1.0


@njit(cache=True)
def grofman(memory, parameters, turn, turns, own, other):
    """Two cooperations, tit for tat up to turn 7, then by the other's defections in turns 2 to 8 back.

    memory[0]: its last eight actions, as bits.
    """
    if turn > 0:
        memory[0] = (memory[0] << 1 | other) & 255
    if turn < 2:
        return 1.0
    if turn < 7:
        return 1.0 - other
    return 1.0 if _bits(memory[0] >> 1, 7) <= 2 - own else 0.0


@njit(cache=True)
def gladstein(memory, parameters, turn, turns, own, other):
    """Defects as often as it cooperates until the other defects; then it apologises and plays tit for tat.

    memory: own cooperations, the other has defected.
    """
    if turn == 0:
        return 0.0
    memory[0] += 1 - own
    if memory[1]:
        return 1.0 - other
    if other == 1:
        memory[1] = 1
        return 1.0
    return 1.0 if memory[0] / turn <= 0.5 else 0.0


@njit(cache=True)
def tranquilizer(memory, parameters, turn, turns, own, other):
    """Cooperates, and once it does well tries a defection now and then, ever more often while it goes unpunished.

    memory: turns since such a try (0 for none), the other's defections in a row, what the turn after a try brought and
    how often, the same of the turn thereafter, turns that ended CC, CD, DC, DD, a try was possible. Parameters: reward,
    sucker, temptation, punishment.
    """
    if turn == 0:
        memory[2], memory[3], memory[5] = 5, 1, 1
        return 1.0
    memory[6 + 2 * own + other] += 1
    memory[1] = memory[1] + 1 if other == 1 else 0
    if memory[10] and own == 1:
        memory[0] = 1
    memory[10] = 0
    brought = 3 - 3 * other + 2 * own - own * other
    if memory[0] == 2:
        memory[0] = 0
        memory[4] += brought
        memory[5] += 1
    elif memory[0] == 1:
        memory[0] = 2
        memory[2] += brought
        memory[3] += 1
    if memory[0] > 0:
        return 1.0
    now, score, lead = turn + 1, 0.0, (memory[8] - memory[7]) * (parameters[2] - parameters[1])
    for outcome in range(4):
        score += memory[6 + outcome] * parameters[outcome]
    chance = 1.0 - other
    if score / now >= 2.25:
        memory[10] = 1
        tries = memory[2] / memory[3] + memory[4] / memory[5]
        chance = 0.95 - (tries - 5) / 15 + 1 / now**2 - other / 4
    elif score / now >= 1.75:
        chance = 0.25 + (memory[6] + memory[8] + 1) / now - memory[1] / 4 + lead / 100 + 4 / now
    return min(max(chance, 0.0), 1.0)


@njit(cache=True)
def hufford(memory, parameters, turn, turns, own, other):
    """Tit for tat for those who agree with it, cooperation for those who always do; a long run of cooperation is tried.

    memory: agreements less 2, its last four disagreements as bits, cooperations in a row less 2, 1 after a try and 2
    one turn later, cooperations and defections in answer to a try, cooperations in a row that a try needs less 21, own
    action before.
    """
    if turn == 0:
        return 1.0
    before, memory[7] = memory[7], own
    memory[0] += before == other
    memory[1] = (memory[1] << 1 | (before != other)) & 15
    if memory[3] == 0:
        memory[2] = memory[2] + 1 if other == 0 else -2
        if memory[2] + 2 >= memory[6] + 21:
            memory[3] = 1
            if memory[2] + 2 == memory[6] + 21:
                return 0.0
    elif memory[3] == 1:
        memory[3] = 2
    else:
        memory[3] = 0
        memory[4 + other] += 1
        memory[6] = 20 * (memory[5] + 2) // (memory[4] + 2) + 1 - 21
        memory[2] = -2
        return 1.0
    agreed, four = (memory[0] + 2) / (turn + 1), 4 - _bits(memory[1], 4)
    if agreed > 0.9 and four >= 4:
        return 1.0
    return 1.0 - other if agreed >= 0.625 and four >= 2 else 0.0
