"""A state on disk: nested dicts of arrays, numbers, text and generators in one .npz file, without pickle.

The arrays are members of the file; everything else is one JSON text beside them, which names the arrays it stands for.
The file is written under another name, synced and renamed, so that there is always either the old state or the new one.
A zip carries a checksum for each member: a damaged file is refused, never half read.
"""

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ludus.study.disk import Corrupt, write_whole

_BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
_STRUCTURE = "structure"


def save(path: Path, state: Any) -> None:
    """Write `state` so that `load` gives back an equal one, or leave the file as it was.

    Raises TypeError, naming the key, for anything but dicts with text keys, lists, tuples, arrays, numbers, text,
    booleans, None and numpy Generators; StoreError where the disk does not take it.
    """
    arrays: dict[str, np.ndarray] = {}
    structure = json.dumps(_pack(state, arrays, "state"), allow_nan=False)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{_STRUCTURE: np.frombuffer(structure.encode(), np.uint8)}, **arrays)
    write_whole(path, buffer.getvalue())


def load(path: Path) -> Any:
    """The state that `save` wrote. Raises Corrupt where the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _unpack(json.loads(arrays.pop(_STRUCTURE).tobytes()), arrays)
    except (ValueError, KeyError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as fault:
        raise Corrupt(f"{path} is damaged: {fault}. Delete it to start this cell again from its first step.") from fault


def _pack(value: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
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
        name = f"a{len(arrays)}"
        arrays[name] = np.asarray(value)
        return ["array" if isinstance(value, np.ndarray) else "scalar", name]
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


def _unpack(packed: Any, arrays: dict[str, np.ndarray]) -> Any:
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
        return arrays[content]
    if tag == "scalar":
        return arrays[content][()]
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
