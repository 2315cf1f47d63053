"""Rows divided among as many threads as PyTorch has, each of which takes its own through all layers.

PyTorch divides every operation instead, and its threads wait for each other hundreds of times a step, which on two
cores is a fifth of the step's CPU time. A cell of a study has one thread: all rows are one part, and nothing rounds
otherwise.
"""

import contextlib
import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS = 8  # at least, for a thread of its own
T = TypeVar("T")


def slices(count: int) -> list[slice]:
    """The rows of each thread, at least one slice."""
    threads = max(1, min(torch.get_num_threads(), count // ROWS))
    ends = [count * number // threads for number in range(threads + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


@lru_cache(maxsize=1)
def _keep_memory() -> None:
    """Let glibc keep what threads free. It gives that back to the system, and a step has 60,000 page faults more.

    From 32 MB on, the most that glibc would come to by itself, an allocation is still the system's.
    """
    with contextlib.suppress(OSError, TypeError, AttributeError):  # another system's malloc
        for option, size in ((-3, 2**25), (-1, 2**30), (-2, 2**26)):  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD
            ctypes.CDLL(None).mallopt(option, size)


def at_once(part: Callable[[Any], T], given: Sequence[Any]) -> list[T]:
    """part(each) for each of what is given, in order, a thread for each, in which PyTorch starts no others."""
    if len(given) == 1:
        return [part(given[0])]
    _keep_memory()
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(len(given), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(part, given))
    finally:
        torch.set_num_threads(threads)  # theirs would be that of every thread to come


def by_rows(part: Callable[[slice], tuple[Tensor, ...]], count: int, model: torch.nn.Module) -> tuple[Tensor, ...]:
    """part(slice(0, count)), tensors of `count` rows each, with their gradients for the weights of the model.

    part  gives the rows of a slice, each of which depends on no other but for rounding; on the CPU a thread asks it
          for some of them, on a GPU it is asked for all
    """
    rows = slices(count) if next(model.parameters()).device.type == "cpu" else [slice(0, count)]
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if len(rows) == 1:
        return part(rows[0])
    return _ByRows.apply(part, rows, torch.is_grad_enabled() and len(weights) > 0, *weights)


class _ByRows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, part: Callable[[slice], tuple[Tensor, ...]], rows: list[slice], learns: bool, *weights: Tensor
    ) -> tuple[Tensor, ...]:
        def found(some: slice) -> tuple[Tensor, ...]:
            with torch.set_grad_enabled(learns):
                return part(some)

        ctx.set_materialize_grads(False)
        ctx.rows, ctx.weights, ctx.found = rows, weights, at_once(found, rows)
        return tuple(torch.cat([each.detach() for each in parts]) for parts in zip(*ctx.found, strict=True))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        def back(number: int) -> tuple[Tensor | None, ...]:
            asked = [
                (found, gradient[ctx.rows[number]])
                for found, gradient in zip(ctx.found[number], gradients, strict=True)
                if gradient is not None
            ]
            outputs, toward = zip(*asked, strict=True)
            return torch.autograd.grad(outputs, ctx.weights, toward, allow_unused=True)

        parts = at_once(back, range(len(ctx.rows)))
        return None, None, None, *(_sum(each) for each in zip(*parts, strict=True))


def _sum(gradients: tuple[Tensor | None, ...]) -> Tensor | None:
    """In order, so that it rounds alike however long each took; a weight that no row used has none."""
    used = [gradient for gradient in gradients if gradient is not None]
    return sum(used[1:], start=used[0]) if used else None
