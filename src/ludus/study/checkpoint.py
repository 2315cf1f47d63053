"""A state on disk: nested dicts of arrays, numbers, text and generators in one .npz file, without pickle.

The arrays lie one behind the other, a member of the file for each dtype, since a member costs as much time as a
thousand numbers; everything else is one JSON text beside them, which says where each array lies. The file is written
under another name, synced and renamed, so that there is always either the old state or the new one. A zip carries a
checksum for each member: a damaged file is refused, never half read.
"""

import io
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ludus.study.disk import Corrupt, write_whole

_BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
_STRUCTURE = "structure"


def save(path: Path, state: Any) -> None:
    """Write `state` so that `load` gives back an equal one, or leave the file as it was.

    Raises TypeError, naming the key, for anything but dicts with text keys, lists, tuples, arrays, numbers, text,
    booleans, None and numpy Generators; StoreError where the disk does not take it.
    """
    arrays: dict[np.dtype, list[np.ndarray]] = {}
    packed = _pack(state, arrays, "state")
    places = [[(_order(array), array.shape) for array in same] for same in arrays.values()]
    structure = json.dumps({"state": packed, "places": places}, allow_nan=False)
    members = {str(number): _flat(dtype, same) for number, (dtype, same) in enumerate(arrays.items())}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{_STRUCTURE: np.frombuffer(structure.encode(), np.uint8)}, **members)
    write_whole(path, buffer.getbuffer())


def load(path: Path) -> Any:
    """The state that `save` wrote. Raises Corrupt where the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            structure = json.loads(file[_STRUCTURE].tobytes())
            arrays = [list(_cut(file[str(number)], places)) for number, places in enumerate(structure["places"])]
        return _unpack(structure["state"], arrays)
    except (ValueError, KeyError, IndexError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as fault:
        raise Corrupt(
            f"{path} is damaged, or of another version: {fault}. "
            "Delete it to start this cell again from its first step."
        ) from fault


def _order(array: np.ndarray) -> Literal["C", "F"]:
    """The order of an array in memory, which is kept: sums of products depend on it in their last bits."""
    return "F" if array.flags.fnc else "C"


def _flat(dtype: np.dtype, arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([array.ravel(_order(array)) for array in arrays], dtype=dtype)


def _cut(flat: np.ndarray, places: list[tuple[Literal["C", "F"], list[int]]]) -> Iterator[np.ndarray]:
    """The arrays that `_flat` laid one behind the other, each with memory of its own."""
    start = 0
    for order, shape in places:
        end = start + math.prod(shape)
        yield flat[start:end].copy().reshape(shape, order=order)
        start = end


def _pack(value: Any, arrays: dict[np.dtype, list[np.ndarray]], where: str) -> Any:
    """JSON for `value`, its arrays put into `arrays`. Containers and odd numbers become [tag, content]."""
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a checkpoint's keys are text: {where} has {key!r}; write {str(key)!r}")
        return ["dict", {key: _pack(item, arrays, f"{where}[{key!r}]") for key, item in value.items()}]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [_pack(item, arrays, f"{where}[{i}]") for i, item in enumerate(value)]]
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.hasobject:
            raise TypeError(f"a checkpoint holds no Python objects: {where} is an array of dtype object")
        same = arrays.setdefault(value.dtype, [])
        same.append(np.asarray(value))
        place = (list(arrays).index(value.dtype), len(same) - 1)
        return ["array" if isinstance(value, np.ndarray) else "scalar", place]
    if isinstance(value, float):
        return value if math.isfinite(value) else ["float", repr(value)]
    if isinstance(value, np.random.Generator):
        bits = value.bit_generator
        if type(bits).__name__ not in _BIT_GENERATORS:
            raise TypeError(f"{where} is a generator of kind {type(bits).__name__}; use one of {_BIT_GENERATORS}")
        seed: Any = bits.seed_seq  # kept too, so that children spawned later are the same ones
        return ["generator", _pack(dict(bits.state), arrays, where), _pack(dict(seed.state), arrays, where)]
    hint = "; write tensor.numpy()" if type(value).__module__ == "torch" else ""
    raise TypeError(
        f"a checkpoint holds dicts, lists, arrays, numbers, text, None and numpy Generators: {where} is a "
        f"{type(value).__name__}{hint}"
    )


def _unpack(packed: Any, arrays: list[list[np.ndarray]]) -> Any:
    if not isinstance(packed, list):
        return packed
    tag, content = packed[0], packed[1]
    if tag == "dict":
        return {key: _unpack(item, arrays) for key, item in content.items()}
    if tag == "list":
        return [_unpack(item, arrays) for item in content]
    if tag == "tuple":
        return tuple(_unpack(item, arrays) for item in content)
    if tag == "array":
        return arrays[content[0]][content[1]]
    if tag == "scalar":
        return arrays[content[0]][content[1]][()]
    if tag == "float":
        return float(content)
    if tag == "generator":
        state, seed = _unpack(content, arrays), _unpack(packed[2], arrays)
        if state["bit_generator"] not in _BIT_GENERATORS:
            raise ValueError(f"an unknown generator {state['bit_generator']!r}")
        bits = getattr(np.random, state["bit_generator"])(np.random.SeedSequence(**seed))
        bits.state = state
        return np.random.Generator(bits)
    raise ValueError(f"an unknown tag {tag!r}")
