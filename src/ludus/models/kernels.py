"""Reading and writing on the CPU: tokens of many rows through a whole transformer, compiled.

It computes what `transformer.Transformer` does. In small models calls cost more than arithmetic: PyTorch needs some
twenty for a token in a layer, and here one call writes whole replies, and neither padding nor rows that have ended cost
anything. Matrix products are BLAS's, by numpy.dot; call with BLAS on one thread, by as many threads as there are cores,
each with rows of its own: no lock is held.

Everything is inlined into `read` and `write` (forceinline). Else a process that compiles them calls the parts as they
were compiled alone, and one that loads them from the cache calls copies, in which sums are taken in another order.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

_0, _1 = np.float32(0), np.float32(1)  # typed, since float64 constants would make everything float64
_UNSEEN = np.float32(-1e30)
_EPSILON = np.float32(1e-5)  # of a layer norm
_GELU = np.float32(2 * math.sqrt(2 / math.pi))
_GELU_CUBE = np.float32(2 * math.sqrt(2 / math.pi) * 0.044715)
_LOG2_E, _LN_2, _LEAST = np.float32(1 / math.log(2)), np.float32(math.log(2)), np.float32(-126)
_WHOLE = np.float32(1.5 * 2**23)  # added to a float32, it leaves the nearest whole number in the lowest bits
_E2, _E3, _E4, _E5, _E6 = (np.float32(1 / math.factorial(n)) for n in range(2, 7))
_CHUNK = 256  # tokens read at once: their activations stay in the processor's cache


class Weights(NamedTuple):
    """Those of a transformer, float32; of its L layers one upon the other, so [L, ...]. W is the width, V tokens."""

    tokens: np.ndarray  # [V, W]
    positions: np.ndarray  # [context, W]
    never: np.ndarray  # [V], added to the logits
    norm: np.ndarray  # [W]
    norm_bias: np.ndarray
    norm_attention: np.ndarray  # [L, W]
    norm_attention_bias: np.ndarray
    queries_keys_values: np.ndarray  # [L, 3 W, W]
    queries_keys_values_bias: np.ndarray
    attention_out: np.ndarray  # [L, W, W]
    attention_out_bias: np.ndarray
    norm_mlp: np.ndarray  # [L, W]
    norm_mlp_bias: np.ndarray
    mlp_in: np.ndarray  # [L, 4 W, W]
    mlp_in_bias: np.ndarray
    mlp_out: np.ndarray  # [L, W, 4 W]
    mlp_out_bias: np.ndarray


@njit(cache=True, fastmath=True, nogil=True)
def read(weights, keys, values, real, position, now, tokens, logits):
    """The tokens given to B rows, at the places from `now` on; returns whether every row has a position for its own.

    keys, values  float32[B, L, heads, room, W / heads], read up to `now`; the new tokens' own are added
    real          bool[B, room], which of them are tokens; set for the new ones
    position      int64[B], how many of them there are; counted on
    tokens        int64[B, T]; 0 is padding, passed over
    logits        float32[B, V], the result, after each row's last token; left as they are where a row has none
    """
    count = np.count_nonzero(tokens)
    rows, columns = np.empty(count, np.int64), np.empty(count, np.int64)
    stream, last = np.empty((count, weights.norm.shape[0]), np.float32), np.full(len(tokens), -1)
    n = 0
    for row in range(len(tokens)):
        for t in range(tokens.shape[1]):
            if tokens[row, t] != 0:
                if position[row] >= len(weights.positions):
                    return False
                stream[n] = weights.tokens[tokens[row, t]] + weights.positions[position[row]]
                position[row] += 1
                real[row, now + t] = True
                rows[n], columns[n], last[row] = row, now + t, n
                n += 1
    for start in range(0, count, _CHUNK):
        part = slice(start, min(start + _CHUNK, count))
        _layers(weights, stream[part], rows[part], columns[part], keys, values, real)
    heard = np.flatnonzero(last >= 0)
    after = _logits(weights, stream[last[heard]])
    for i in range(len(heard)):
        logits[heard[i]] = after[i]
    return True


@njit(cache=True, fastmath=True, nogil=True)
def write(weights, keys, values, real, position, now, logits, uniform, stop, temperature, going, tokens, log_prob):
    """At most R tokens for every going row, to one of `stop` inclusive; returns how many rounds it took, 0 if too many.

    That is where a row has no position left; what was written until then is of no use.

    keys, values, real, position  as `read` left them; the written tokens' own are added, but for those of each row's
                                  last one, which is not read
    logits    float32[B, V], after the last token read
    uniform   float64[B, R]; stop bool[V]; going bool[B]
    tokens    int64[B, R] and log_prob float32[B, R], the result; left as they are after a row's end
    """
    rows = np.flatnonzero(going)
    after = logits[rows]
    for round_ in range(uniform.shape[1]):
        if round_ > 0:
            column = now + round_ - 1
            stream = np.empty((len(rows), weights.norm.shape[0]), np.float32)
            for i in range(len(rows)):
                row = rows[i]
                if position[row] >= len(weights.positions):
                    return 0
                stream[i] = weights.tokens[tokens[row, round_ - 1]] + weights.positions[position[row]]
                position[row] += 1
                real[row, column] = True
            _layers(weights, stream, rows, np.full(len(rows), column), keys, values, real)
            after = _logits(weights, stream)
        left = 0
        for i in range(len(rows)):
            row = rows[i]
            token, chance = _draw(after[i], uniform[row, round_], temperature)
            tokens[row, round_], log_prob[row, round_] = token, chance
            if not stop[token]:
                rows[left] = row
                left += 1
        rows = rows[:left]
        if left == 0:
            return round_ + 1
    return uniform.shape[1]


@njit(cache=True, fastmath=True, nogil=True, forceinline=True)
def _layers(weights, stream, rows, columns, keys, values, real):
    """n tokens through all layers: stream float32[n, W] in place, their keys and values added to those before them.

    rows, columns  int64[n], whose token it is and its place; of one row, earlier ones come first
    """
    n, width = stream.shape
    heads = keys.shape[2]
    normed, mixed = np.empty((n, width), np.float32), np.empty((n, width), np.float32)
    parts, inner = np.empty((n, 3 * width), np.float32), np.empty((n, 4 * width), np.float32)
    each, heads_out = parts.reshape(n, 3, heads, width // heads), mixed.reshape(n, heads, width // heads)
    for layer in range(keys.shape[1]):
        _norm(stream, weights.norm_attention[layer], weights.norm_attention_bias[layer], normed)
        np.dot(normed, weights.queries_keys_values[layer].T, parts)
        _add_bias(parts, weights.queries_keys_values_bias[layer])
        _append_and_attend(each, rows, columns, keys, values, real, layer, heads_out)
        np.dot(mixed, weights.attention_out[layer].T, normed)
        _add(stream, normed, weights.attention_out_bias[layer])
        _norm(stream, weights.norm_mlp[layer], weights.norm_mlp_bias[layer], normed)
        np.dot(normed, weights.mlp_in[layer].T, inner)
        _add_bias(inner, weights.mlp_in_bias[layer])
        _gelu(inner)
        np.dot(inner, weights.mlp_out[layer].T, normed)
        _add(stream, normed, weights.mlp_out_bias[layer])


@njit(cache=True, fastmath=True, nogil=True, forceinline=True)
def _logits(weights, stream):
    """float32[n, V] of what left the last layer, float32[n, W]."""
    normed, logits = np.empty_like(stream), np.empty((len(stream), weights.never.shape[0]), np.float32)
    _norm(stream, weights.norm, weights.norm_bias, normed)
    np.dot(normed, weights.tokens.T, logits)
    _add_bias(logits, weights.never)
    return logits


@njit(cache=True, fastmath=True, nogil=True, forceinline=True)
def _append_and_attend(new, rows, columns, keys, values, real, layer, mixed):
    """Each token's key and value take their places, and its query attends to all real tokens, itself included.

    new    float32[n, 3, heads, D]: query, key and value
    mixed  float32[n, heads, D], the result
    """
    _, _, heads, width = new.shape
    scale = _1 / np.sqrt(np.float32(width))
    longest = keys.shape[3]
    room, spare_room = np.empty(longest, np.float32), np.empty(longest, np.float32)
    for i in range(len(new)):
        row, length = rows[i], columns[i] + 1
        shares, spare = room[:length], spare_room[:length]
        for head in range(heads):
            query, key, value, out = new[i, 0, head], keys[row, layer, head], values[row, layer, head], mixed[i, head]
            for d in range(width):
                key[length - 1, d] = new[i, 1, head, d]
                value[length - 1, d] = new[i, 2, head, d]
                out[d] = _0
            top = _UNSEEN
            for t in range(length):
                dot = _0
                for d in range(width):
                    dot += query[d] * key[t, d]
                shares[t] = dot * scale if real[row, t] else _UNSEEN
                top = max(top, shares[t])
            for t in range(length):
                shares[t] -= top
            _exp(shares, spare)
            total = _0
            for t in range(length):
                total += shares[t]
            for t in range(length):
                share = shares[t] / total
                for d in range(width):
                    out[d] += share * value[t, d]


@njit(cache=True, fastmath=True, nogil=True, forceinline=True)
def _norm(stream, weight, bias, normed):
    """A layer norm of each row."""
    width = np.float32(len(weight))
    for row in range(len(stream)):
        mean, variance = _0, _0
        for j in range(len(weight)):
            mean += stream[row, j]
        mean /= width
        for j in range(len(weight)):
            variance += (stream[row, j] - mean) ** 2
        scale = _1 / np.sqrt(variance / width + _EPSILON)
        for j in range(len(weight)):
            normed[row, j] = (stream[row, j] - mean) * scale * weight[j] + bias[j]


@njit(cache=True, fastmath=True, nogil=True, forceinline=True)
def _add_bias(to, bias):
    for row in range(len(to)):
        for j in range(len(bias)):
            to[row, j] += bias[j]


@njit(cache=True, fastmath=True, nogil=True, forceinline=True)
def _add(to, what, bias):
    for row in range(len(to)):
        for j in range(len(bias)):
            to[row, j] += what[row, j] + bias[j]


@njit(cache=True, fastmath=True, nogil=True, forceinline=True)
def _gelu(inner):
    """gelu(inner, approximate="tanh") as inner * sigmoid(c (inner + 0.044715 inner^3))."""
    exponent, spare = np.empty(inner.shape[1], np.float32), np.empty(inner.shape[1], np.float32)
    for row in range(len(inner)):
        for j in range(len(exponent)):
            x = inner[row, j]
            exponent[j] = min(-x * (_GELU + _GELU_CUBE * x * x), -_LEAST / 2)
        _exp(exponent, spare)
        _gate(inner[row], exponent)


@njit(cache=True, fastmath=False, nogil=True, error_model="numpy", forceinline=True)  # Python's asks for 0: no vectors
def _gate(x, exponential):
    for j in range(len(x)):
        x[j] = x[j] / (_1 + exponential[j])


@njit(cache=True, fastmath=False, nogil=True, forceinline=True)  # else it has its callers' fastmath: _WHOLE cancels out
def _exp(x, spare):
    """The exponential of float32[n] in place, to a few 1e-7; 0 below 2^-126. math.exp takes one number at a time.

    2^n e^f with n whole and f within ln(2) / 2 of zero: Taylor's polynomial, then n is added to the exponent's bits.
    """
    for i in range(len(x)):
        power = x[i] * _LOG2_E
        shifted = power + _WHOLE
        f = (power - (shifted - _WHOLE)) * _LN_2
        series = _1 + f * (_1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * _E6)))))
        x[i] = series if power >= _LEAST else _0  # chosen, not stored on a condition: three times as fast
        spare[i] = shifted if power >= _LEAST else _WHOLE
    bits, whole = x.view(np.int32), spare.view(np.int32)
    for i in range(len(x)):
        bits[i] += whole[i] << 23


@njit(cache=True, nogil=True)
def draw(logits, uniform, temperature):
    """(tokens int64[B], their log-probabilities float32[B] at temperature 1), a draw by inverting the distribution.

    logits float32[B, V]; uniform float64[B] in [0, 1). A token is the first whose cumulative chance exceeds uniform
    times the total; where none has a chance it is the last one.
    """
    tokens, log_prob = np.empty(len(logits), np.int64), np.empty(len(logits), np.float32)
    for row in range(len(logits)):
        tokens[row], log_prob[row] = _draw(logits[row], uniform[row], temperature)
    return tokens, log_prob


@njit(cache=True, fastmath=False, nogil=True, forceinline=True)  # a model that diverged has NaN in its logits
def _draw(logits, uniform, temperature):
    top = logits.max()
    chances, spare = logits - top, np.empty(len(logits), np.float32)
    _exp(chances, spare)
    whole = chances.astype(np.float64).sum()
    if temperature != 1:
        chances = (logits - top) / np.float32(temperature)
        _exp(chances, spare)
    total = chances.astype(np.float64).sum()
    threshold, reached, token = uniform * total, 0.0, len(logits) - 1
    for other in range(len(logits)):
        reached += chances[other]
        if chances[other] > 0:
            token = other
            if reached > threshold:
                break
    return token, np.float32(logits[token] - top - math.log(whole))
