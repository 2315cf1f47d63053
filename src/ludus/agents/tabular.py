"""A table over infosets, as a player: the way from what a solver found to a seat at the table."""

import numpy as np

from ludus.records import Policy
from ludus.tree import Tree, tabulate


def tabular(tree: Tree, table: np.ndarray) -> Policy:
    """The Policy that reads its probabilities from table float64[K, A], row by infoset of the tree.

    Rows are found by view. Raises ValueError where the table is no policy of the tree, or where two players share a
    view but not the row; the policy raises ValueError at a view that the tree does not hold. The table is copied.
    """
    table = tabulate(tree, lambda views, legal: table).copy()
    keys = _keys(tree.view)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    twice = np.flatnonzero((keys[1:] == keys[:-1]) & (table[order[1:]] != table[order[:-1]]).any(axis=1))
    if len(twice):
        one, other = order[twice[0]], order[twice[0] + 1]
        raise ValueError(
            f"table: players {tree.player[one]} and {tree.player[other]} share the view {tree.labels.infoset(one)!r} "
            f"and differ there, {table[one]} and {table[other]}; a policy sees the view alone: give both the same row"
        )

    def policy(views: np.ndarray, legal: np.ndarray) -> np.ndarray:
        if views.ndim != 2 or views.shape[1] != tree.view.shape[1]:
            raise ValueError(f"views: shape {views.shape} given; this table reads int64[B, {tree.view.shape[1]}]")
        places = np.minimum(np.searchsorted(keys, _keys(views)), len(keys) - 1)
        rows = order[places]
        strange = (tree.view[rows] != views).any(axis=1)
        if strange.any():
            raise ValueError(
                f"views: {views[np.argmax(strange)]} is no infoset of the tree that this table was made for; "
                "play the very game that was grown, numbers in its name included"
            )
        return table[rows]

    return policy


def _keys(views):
    """Each row as one value that sorts: void[B]."""
    views = np.ascontiguousarray(views, dtype=np.int64)
    return views.view(np.dtype((np.void, views.itemsize * views.shape[1]))).ravel()
