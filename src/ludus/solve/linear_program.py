"""Linear programs of games, by the dual simplex of HiGHS: as exact as it can, tried again where it breaks down.

HiGHS takes coefficients below 1e-9 for zero and allows violations of 1e-10 at the least, both absolute. A program whose
payoffs are scaled to 1000 is therefore solved three digits finer than one scaled to 1. Where payoffs or chances span
very many digits that can be too fine, and HiGHS gives up; coarser tries then follow. Solutions are vertices, so most
are exact up to rounding whatever the tolerance.
"""

from collections.abc import Callable
from typing import Any

from scipy.optimize import OptimizeResult, linprog

TRIES = ((1000.0, 1e-10), (1.0, 1e-10), (1.0, 1e-7))  # largest payoff, tolerance
SOLVED, LIMIT = 0, 1  # linprog's status


def solve(program: Callable[[float], tuple[Any, ...]], seconds: float | None = None) -> OptimizeResult:
    """What `linprog` returns for the first try that HiGHS does not break down on, or for the last.

    program  (largest) -> c, A_ub, b_ub, A_eq, b_eq, bounds of `linprog`, with the largest payoff scaled to `largest`;
             it must have a solution, so that "infeasible" and "unbounded" are breakdowns too
    seconds  stop a try after so long, with status LIMIT
    """
    for largest, tolerance in TRIES:
        result = linprog(
            *program(largest),
            method="highs-ds",
            options={
                "primal_feasibility_tolerance": tolerance,
                "dual_feasibility_tolerance": tolerance,
                "time_limit": seconds,
            },
        )
        if result.status in (SOLVED, LIMIT):
            break
    return result
