"""Strategies that count, from after the tournaments; each stands with its source in the catalogue.

Where a source leaves room, a rule reads it as Axelrod-Python 4.14 does.
"""

from numba import njit


@njit(cache=True)
def majority(memory, parameters, turn, turns, own, other):
    """Does what the other has done more often, in all turns or in the last parameters[0] of them.

    memory: how often it defected less how often it cooperated; its last actions as bits. Parameters: how many turns it
    looks back, 0 for all and at most 62; what it does when both are equally many, 1 to cooperate.
    """
    if turn > 0:
        window = int(parameters[0])
        memory[0] += 2 * other - 1
        if window > 0:
            if turn > window:
                memory[0] -= 2 * (memory[1] >> (window - 1) & 1) - 1
            memory[1] = (memory[1] << 1 | other) & ((1 << window) - 1)
    return parameters[1] if memory[0] == 0 else (1.0 if memory[0] < 0 else 0.0)


@njit(cache=True)
def forgiver(memory, parameters, turn, turns, own, other):
    """Defects while the other has defected in more than a tenth of the turns. memory[0]: its defections.

    parameters[0] is 1 where it also forgives whoever has just cooperated.
    """
    if turn > 0:
        memory[0] += other
    if 10 * memory[0] <= turn:
        return 1.0
    return 1.0 if parameters[0] == 1 and other == 0 else 0.0


@njit(cache=True)
def gradual(memory, parameters, turn, turns, own, other):
    """Answers the other's n-th defection with n defections, then cooperates twice, deaf to what happens meanwhile.

    memory: what n is, defections to come, cooperations to come. parameters[0] is 1 where n also counts the defections
    that come while it is deaf.
    """
    if turn == 0:
        return 1.0
    heard = memory[1] == 0 and memory[2] == 0
    if other == 1 and (heard or parameters[0] == 1):
        memory[0] += 1
    if memory[1] > 0:
        memory[1] -= 1
        return 0.0
    if memory[2] > 0:
        memory[2] -= 1
        return 1.0
    if other == 1:
        memory[1], memory[2] = memory[0] - 1, 2
        return 0.0
    return 1.0


@njit(cache=True)
def omega(memory, parameters, turn, turns, own, other):
    """Tit for tat that breaks echoes, and gives up on whoever seems random.

    memory: length of the echo, a measure of randomness, the other's action before.
    """
    before, memory[2] = memory[2], other
    if turn < 2:
        return 1.0 if turn == 0 else 1.0 - other
    if memory[0] >= 3:
        memory[0] = 4 if memory[0] == 3 else 0
        return 1.0
    if before == 0 and other == 0:
        memory[1] -= 1
    memory[1] += (before != other) + (own != other)
    if memory[1] >= 8:
        return 0.0
    memory[0] = memory[0] + 1 if before != other else 0
    return 1.0 - other


@njit(cache=True)
def adaptive(memory, parameters, turn, turns, own, other):
    """Six cooperations, five defections, then the action that has earned more so far.

    memory: turns that ended CC, CD, DC, DD. Parameters: reward, sucker, temptation, punishment.
    """
    if turn > 0:
        memory[2 * own + other] += 1
    if turn < 11:
        return 1.0 if turn < 6 else 0.0
    cooperating = memory[0] * parameters[0] + memory[1] * parameters[1]
    return 1.0 if cooperating > memory[2] * parameters[2] + memory[3] * parameters[3] else 0.0


@njit(cache=True)
def adaptive_pavlov_2006(memory, parameters, turn, turns, own, other):
    """Tit for tat for six turns, which tell who the other is; asked again every six turns.

    memory: the other's last six actions as bits; who it is: 0 not known, 1 cooperative, 2 defector, 3 suspicious tit
    for tat, 4 Pavlov who begins with D, 5 random.
    """
    if turn > 0:
        memory[0] = (memory[0] << 1 | other) & 63
    if turn < 6:
        return 1.0 if turn == 0 else 1.0 - other
    if turn % 6 == 0:
        seen = memory[0]
        if seen == 0b000000:
            memory[1] = 1
        elif seen == 0b111111:
            memory[1] = 2
        elif seen == 0b101010:
            memory[1] = 3
        elif seen == 0b110110:
            memory[1] = 4
        elif memory[1] == 0:
            memory[1] = 5
    if memory[1] == 2 or memory[1] == 5:
        return 0.0
    if memory[1] == 3 and turn % 6 < 2:
        return 1.0
    if memory[1] == 4:
        return 1.0 if turn % 6 != 0 else 0.0
    return 1.0 - other


@njit(cache=True)
def adaptive_pavlov_2011(memory, parameters, turn, turns, own, other):
    """As of 2006, with the other known by how often it defects in six turns: 0, 3, or at least 4 times.

    memory: its last six actions as bits; who it is: 0 not known, 1 cooperative, 2 defector, 3 suspicious, 5 random.
    """
    if turn > 0:
        memory[0] = (memory[0] << 1 | other) & 63
    if turn < 6:
        return 1.0 if turn == 0 else 1.0 - other
    if turn % 6 == 0:
        defections = 0
        for place in range(6):
            defections += memory[0] >> place & 1
        if defections == 0:
            memory[1] = 1
        elif defections >= 4:
            memory[1] = 2
        elif defections == 3:
            memory[1] = 3
        elif memory[1] == 0:
            memory[1] = 5
    if memory[1] == 2 or memory[1] == 5:
        return 0.0
    if memory[1] == 3:
        return 1.0 if memory[0] & 3 != 3 else 0.0
    return 1.0 - other


@njit(cache=True)
def retaliate(memory, parameters, turn, turns, own, other):
    """Defects while it was exploited more than parameters[0] times as often as it exploited. memory: both counts."""
    if turn > 0 and own != other:
        memory[own] += 1
    return 1.0 if memory[0] <= memory[1] * parameters[0] else 0.0


@njit(cache=True)
def limited_retaliate(memory, parameters, turn, turns, own, other):
    """As retaliate, but after parameters[1] defections in a row it cooperates once. memory: both counts, that row."""
    if turn > 0 and own != other:
        memory[own] += 1
    if memory[0] <= memory[1] * parameters[0] or memory[2] >= parameters[1]:
        memory[2] = 0
        return 1.0
    memory[2] += 1
    return 0.0


@njit(cache=True)
def short_memory(memory, parameters, turn, turns, own, other):
    """Eleven cooperations; then what the other did at least three times more often in ten turns, or else copies it.

    memory[0]: those, as bits.
    """
    if turn > 0:
        memory[0] = (memory[0] << 1 | other) & 1023
    if turn < 11:
        return 1.0
    defections = 0
    for place in range(10):
        defections += memory[0] >> place & 1
    if abs(10 - 2 * defections) >= 3:
        return 1.0 if defections < 5 else 0.0
    return 1.0 - other


@njit(cache=True)
def very_bad(memory, parameters, turn, turns, own, other):
    """Three cooperations, then what the other does more often, or its last action where both are equally many.

    memory[0]: its defections.
    """
    if turn > 0:
        memory[0] += other
    if turn < 3:
        return 1.0
    return 1.0 - other if 2 * memory[0] == turn else (1.0 if 2 * memory[0] < turn else 0.0)


@njit(cache=True)
def average_copier(memory, parameters, turn, turns, own, other):
    """Cooperates as often as the other has, and at first with probability parameters[0]. memory[0]: its defections."""
    if turn == 0:
        return parameters[0]
    memory[0] += other
    return 1.0 - memory[0] / turn


@njit(cache=True)
def worse_and_worse(memory, parameters, turn, turns, own, other):
    """Defects at turn t, counted from 1, with probability t / 1000."""
    return max(1.0 - (turn + 1) / 1000, 0.0)


@njit(cache=True)
def worse_and_worse_2(memory, parameters, turn, turns, own, other):
    """Tit for tat for 20 turns, then cooperates at turn t, counted from 1, with probability 20 / t."""
    if turn < 20:
        return 1.0 if turn == 0 else 1.0 - other
    return 20 / (turn + 1)


@njit(cache=True)
def level_punisher(memory, parameters, turn, turns, own, other):
    """Ten cooperations, then defects while the other has in over a fifth of the turns. memory[0]: its defections."""
    if turn > 0:
        memory[0] += other
    return 0.0 if turn >= 10 and 5 * memory[0] > turn else 1.0


@njit(cache=True)
def punisher(memory, parameters, turn, turns, own, other):
    """Punishes a defection for up to 20 turns, as long as the other's share of defections, or of cooperations, says.

    memory: the other's actions of the kind that counts, turns of punishment done, its length, it punishes.
    parameters[0]: which kind counts, 1 for defections.
    """
    if turn > 0:
        memory[0] += other == parameters[0]
    if memory[1] >= memory[2]:
        memory[1], memory[3] = 0, 0
    if memory[3]:
        memory[1] += 1
        return 0.0
    if turn > 0 and other == 1:
        memory[2] = max(memory[0] * 20 // turn, 1 - int(parameters[0]))
        memory[3] = 1
        return 0.0
    return 1.0


@njit(cache=True)
def prober_4(memory, parameters, turn, turns, own, other):
    """Twenty set actions; then defection for good if the other's answers told nothing, else five C and tit for tat.

    memory: the other's defections after own C less those after own D, it defects for good.
    """
    if turn < 20:
        if turn > 0 and other == 1:
            memory[0] += 1 - 2 * own
        return 1.0 if 0b11010001101011010010 >> (19 - turn) & 1 else 0.0
    if turn == 20:
        memory[1] = abs(memory[0]) <= 2
    if memory[1]:
        return 0.0
    return 1.0 if turn < 25 else 1.0 - other


@njit(cache=True)
def adaptor(memory, parameters, turn, turns, own, other):
    """Cooperates but for one error in a hundred while a balance of past outcomes lies in [-1, 1).

    memory: turns that ended CC, CD, DC, DD. Parameters: what each adds to the balance.
    """
    if turn > 0:
        memory[2 * own + other] += 1
    balance = 0.0
    for outcome in range(4):
        balance += memory[outcome] * parameters[outcome]
    return 0.99 if -1 <= balance < 1 else 0.01


@njit(cache=True)
def random_hunter(memory, parameters, turn, turns, own, other):
    """Defects while the other's answers, C to C and D to D, look like coin tosses.

    memory: own C and D, the other's C after own C, its D after own D, own action before.
    """
    if turn > 0:
        if turn > 1 and other == memory[4]:
            memory[2 + memory[4]] += 1
        memory[4] = own
        memory[own] += 1
    if turn <= 10 or (memory[0] <= 5 and memory[1] <= 5):
        return 1.0
    for action in range(2):
        if memory[action] > 5 and abs(memory[2 + action] / memory[action] - 0.5) >= 0.25:
            return 1.0
    return 0.0
