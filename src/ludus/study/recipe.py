"""What a paper is here: arms, a function that runs one, claims fixed before the run, and a control.

`load` reads a recipe file and checks its shape; `resolve` gives the settings that a run uses; `code_hash` says whether
two files compute the same thing.
"""

import ast
import dataclasses
import difflib
import hashlib
import importlib
import importlib.util
import itertools
import math
import re
import sys
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ludus.study.claims import SCOPES, Claim, Equivalent, Near, NotWorse

HEADINGS = ("Paper", "There", "Here", "Claims", "Leaves")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")  # safe as a file name on every system


class NotARecipe(ValueError):
    """A file or object that does not have the shape of a recipe; the message says what is missing."""


class BadSetting(ValueError):
    """A setting that is not there or not of its type; the message says what would do."""


@dataclass(frozen=True)
class Recipe:
    """A paper you can run.

    slug      the name on the command line; the file is recipes/FAMILY/SLUG.py, hyphens as underscores
    arms      name -> Settings, a frozen dataclass of numbers, text, booleans and tuples of them; one class for all
    run       (settings, rng, log) -> final numbers by metric, floats or Values; one cell: an arm under one seed
    claims    fixed before the run
    control   the arm with the mechanism off; serves every claim that does not name its own
    seeds     the least number of seeds of a full run
    minutes   how long the full run takes on two cores
    quick     settings replaced in quick mode: the smallest honest run, about 1.5 seconds of CPU in all, never a verdict
    metrics   metric -> (unit, what it is in plain words), for tables and pages; one measured on several games is called
              METRIC/GAME and explained once, as METRIC
    watch     the metric to show live
    server    (settings, rng, log, model) -> final numbers, in the place of `run` where the user gives --agent: what the
              claims of scope "server" measure of a real model. None where no served model can show them
    """

    slug: str
    arms: Mapping[str, Any]
    run: Callable[..., Mapping[str, Any]]
    claims: tuple[Claim, ...]
    control: str | None
    seeds: int
    minutes: float
    quick: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    watch: str = ""
    server: Callable[..., Mapping[str, Any]] | None = None


def load(path: Path | str) -> Recipe:
    """The RECIPE of a file, checked. Raises NotARecipe, naming the file, the rule, what was seen and what to write."""
    file = Path(path).resolve()
    if file.suffix != ".py" or not file.is_file():
        raise NotARecipe(f"{path}: a recipe is a Python file; there is none of this name")
    sections(file)
    try:
        module = _import(file)
    except Exception as fault:
        raise NotARecipe(f"{path} cannot be imported: {type(fault).__name__}: {fault}") from fault
    recipe = getattr(module, "RECIPE", None)
    if not isinstance(recipe, Recipe):
        raise NotARecipe(
            f"{path}: a recipe file ends in RECIPE = Recipe(slug=..., arms=ARMS, run=run, ...); RECIPE is {recipe!r}"
        )
    check(recipe, str(path))
    return recipe


def _import(file: Path) -> types.ModuleType:
    """The module of a file: a package's under its own name, any other under one that depends on its path alone.

    One file needs one name in all processes: a worker must find the same classes under it, and numba's disk cache holds
    the name of the module that compiled.
    """
    for entry in sys.path:
        parts = file.relative_to(entry).with_suffix("").parts if entry and file.is_relative_to(entry) else ()
        if len(parts) > 1 and Path(entry, parts[0], "__init__.py").is_file():
            spec = importlib.util.find_spec(".".join(parts))
            if spec is not None and spec.origin and Path(spec.origin).resolve() == file:
                return importlib.import_module(".".join(parts))
    name = f"ludus_recipe_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up
    try:
        spec.loader.exec_module(module)
    except Exception:
        del sys.modules[name]
        raise
    return module


def sections(path: Path | str) -> dict[str, str]:
    """heading -> text in the file's docstring, and "" -> its first line. NotARecipe where a heading is missing."""
    try:
        text = ast.get_docstring(ast.parse(Path(path).read_bytes()))
    except (SyntaxError, ValueError) as fault:
        raise NotARecipe(f"{path} is no Python: {fault}") from fault
    found: dict[str, str] = {"": (text or "").split("\n", 1)[0]}
    heading = ""
    for line in (text or "").split("\n")[1:]:
        word = re.match(r"([A-Z][a-z]+)(\s|$)", line)
        if word and word[1] in HEADINGS:
            heading = word[1]
            found[heading] = line[len(heading) :].strip()
        elif heading:
            found[heading] = f"{found[heading]}\n{line.strip()}".strip()
    missing = [heading for heading in HEADINGS if not found.get(heading)]
    if missing:
        raise NotARecipe(
            f"{path}: the docstring has the headings {', '.join(HEADINGS)}, each at the start of a line with its text "
            f"after it; missing: {', '.join(missing)}"
        )
    return found


def check(recipe: Recipe, where: str) -> None:
    """Raise NotARecipe where the recipe breaks a rule. `where` names it in the message."""

    def must(true: Any, rule: str, seen: Any, write: str) -> None:
        if not true:
            raise NotARecipe(f"{where}: {rule}; seen: {seen!r}. Write {write}.")

    def is_name(text: Any) -> bool:
        return isinstance(text, str) and _NAME.fullmatch(text) is not None

    must(is_name(recipe.slug), "a slug is made of a-z, 0-9, - and _", recipe.slug, 'slug="my-study"')
    must(
        isinstance(recipe.arms, Mapping) and recipe.arms, "a recipe has arms", recipe.arms, 'arms={"full": Settings()}'
    )
    for arm in recipe.arms:
        must(is_name(arm), "the name of an arm is made of a-z, 0-9, - and _", arm, '"self_play"')
    kinds = {type(settings) for settings in recipe.arms.values()}
    must(len(kinds) == 1, "all arms are of one Settings class", sorted(k.__name__ for k in kinds), "one class for all")
    kind = kinds.pop()
    must(
        dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen,  # type: ignore[attr-defined]
        "an arm is a frozen dataclass",
        kind.__name__,
        "@dataclass(frozen=True) above class Settings",
    )
    for name, wanted in typing.get_type_hints(kind).items():
        must(_is_plain(wanted), f"setting {name} is a number, text, bool or tuple of them", wanted, f"{name}: float")
    for arm, settings in recipe.arms.items():
        for name, wanted in typing.get_type_hints(kind).items():
            value = getattr(settings, name)
            must(_fits(value, wanted), f"{name} of arm {arm} is {_words(wanted)}", value, f"a value of type {wanted}")
    must(callable(recipe.run), "run is a function (settings, rng, log)", recipe.run, "run=run")
    server = recipe.server
    must(
        server is None or callable(server), "server is a function", server, "server=server, (settings, rng, log, model)"
    )
    seeds = recipe.seeds
    must(isinstance(seeds, int) and seeds >= 1, "seeds is a whole number of at least 1", seeds, "seeds=8")
    must(recipe.minutes > 0, "minutes is how long the full run takes", recipe.minutes, "minutes=20")

    arms = ", ".join(recipe.arms)
    must(
        isinstance(recipe.claims, tuple) and recipe.claims,
        "a recipe has claims",
        recipe.claims,
        "claims=(Higher(...),)",
    )
    must(
        recipe.control is None or recipe.control in recipe.arms,
        f"the control is one of the arms ({arms})",
        recipe.control,
        "control= and the name of the arm in which the mechanism is off",
    )
    for number, claim in enumerate(recipe.claims, 1):
        must(isinstance(claim, Claim), f"claim {number} is one of the forms of ludus.study", claim, "Higher(...)")
        here = f"claim {number}, {type(claim).__name__} on {claim.metric}"
        control = claim.control if claim.control is not None else recipe.control
        must(
            control is not None,
            f"{here}, needs a control arm: the mechanism switched off, shuffled or replaced by a placebo",
            control,
            'control="shuffled" and an arm of that name, in the recipe or in the claim',
        )
        must(control in recipe.arms, f"the control of {here}, is one of the arms ({arms})", control, "an arm's name")
        for arm in claim.arms():
            must(arm in recipe.arms, f"the arms of {here}, are among the recipe's ({arms})", arm, "an arm's name")
        must(claim.arms()[0] != control, f"the control of {here}, is not its first arm", control, "another arm")
        must(
            len(set(claim.arms())) > 1 or len(claim.arms()) == 1,
            f"{here}, compares different arms",
            claim.arms(),
            "two",
        )
        must(claim.scope in SCOPES, f"the scope of {here}, is one of {SCOPES}", claim.scope, 'scope="transfer"')
        must(not claim.opposite, f"{here}, says what the paper says, not its reverse", claim, "it without opposite")
        direction = getattr(claim, "direction", "higher")
        must(direction in ("higher", "lower"), f"the direction of {here}, is higher or lower", direction, '"lower"')
        by = claim.by
        must(by >= 0 and math.isfinite(by), f"by in {here}, is not negative", by, "by=0.0")
        if isinstance(claim, NotWorse | Equivalent):
            must(claim.margin > 0, f"the margin of {here}, is above zero", claim.margin, "margin=0.05")
        if isinstance(claim, Near):
            must(claim.within >= 0, f"within of {here}, is not negative", claim.within, "within=1e-6")
    watched = recipe.watch == "" or not recipe.metrics or recipe.watch.split("/")[0] in recipe.metrics
    must(watched, "watch names one of the metrics", recipe.watch, f"one of {', '.join(recipe.metrics)}")
    try:
        resolve(recipe, quick=True)
    except BadSetting as fault:
        raise NotARecipe(f"{where}: quick: {fault}") from fault


def asked_of_servers(recipe: Recipe) -> tuple[str, ...]:
    """The arms that a study with --agent runs: those of its claims of scope "server", and their controls."""
    claims = [claim for claim in recipe.claims if claim.scope == "server"]
    return tuple(dict.fromkeys(arm for claim in claims for arm in (*claim.arms(), control_of(recipe, claim))))


def control_of(recipe: Recipe, claim: Claim) -> str:
    """The arm in which the claim must not hold."""
    control = claim.control if claim.control is not None else recipe.control
    assert control is not None  # `check` saw to it
    return control


def resolve(
    recipe: Recipe,
    overrides: Mapping[str, Any] | None = None,
    quick: bool = False,
    arms: Collection[str] | None = None,
) -> dict[str, Any]:
    """arm -> the settings it runs with: its own, then those of quick mode, then `overrides`; for `arms`, or for all.

    An override given as text is read by the type of its field, as from `--set NAME=VALUE`; tuples are separated by
    commas. Raises BadSetting for a name that is not there, a value of another type, and where two of the arms would
    become the same.
    """
    kind = type(next(iter(recipe.arms.values())))
    hints = typing.get_type_hints(kind)
    changed: dict[str, Any] = {}
    for name, value in {**(recipe.quick if quick else {}), **(overrides or {})}.items():
        if name not in hints:
            near = difflib.get_close_matches(name, hints, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise BadSetting(f"{recipe.slug} has no setting {name!r}. {hint}There are: {', '.join(hints)}")
        if isinstance(value, str):
            value = _read(value, hints[name], name)
        elif isinstance(value, list):
            value = tuple(value)
        if not _fits(value, hints[name]):
            raise BadSetting(f"setting {name} is {_words(hints[name])}, got {value!r}")
        changed[name] = value
    try:
        settings = {
            arm: dataclasses.replace(own, **changed) for arm, own in recipe.arms.items() if arms is None or arm in arms
        }
    except (ValueError, TypeError) as fault:  # a check of the Settings class itself
        raise BadSetting(f"{recipe.slug}: {fault}") from fault
    for one, other in itertools.combinations(settings, 2):
        if settings[one] == settings[other] and recipe.arms[one] != recipe.arms[other]:
            names = ", ".join(n for n in changed if getattr(recipe.arms[one], n) != getattr(recipe.arms[other], n))
            raise BadSetting(f"setting {names} is what tells the arms {one} and {other} apart; leave it as it is")
    return settings


def code_hash(path: Path | str, server: bool = False) -> str:
    """Hash of a file's syntax tree, docstrings and comments dropped: equal where the code does the same.

    What only the recipe's `server` reaches is left out unless `server`: it does not touch what `run` computes. Fields
    that are empty are left out too, so that Python versions that add fields agree.
    """
    return _code_hash(Path(path).read_bytes(), server)


@lru_cache(maxsize=32)
def _code_hash(code: bytes, server: bool) -> str:
    tree = ast.parse(code)
    if not server:
        _leave_out_server(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                del node.body[0]
    return hashlib.sha256(_tree(tree).encode()).hexdigest()[:16]


def _leave_out_server(tree: ast.Module) -> None:
    """Take the keyword server of RECIPE = Recipe(...) away, and every definition that nothing else reaches; in place.

    A definition is a function, a class, an assignment to names or an imported name, at the top of the file. All other
    statements count as reached.
    """
    recipes = [node for node in tree.body if "RECIPE" in _defined(node)]
    calls = [node.value for node in recipes if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)]
    servers = [keyword for call in calls for keyword in call.keywords if keyword.arg == "server"]
    if not servers:
        return
    for call in calls:
        call.keywords = [keyword for keyword in call.keywords if keyword not in servers]
    of_server = _reached(tree, [keyword.value for keyword in servers])
    others = _reached(tree, [node for node in tree.body if not _defined(node) or node in recipes])
    gone = of_server - others
    tree.body = [node for node in tree.body if node in recipes or not _defined(node) or _defined(node) - gone]
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [alias for alias in node.names if _name_of(alias) not in gone]


def _reached(tree: ast.Module, start: list[Any]) -> set[str]:
    """The names that these nodes use, and that what they name uses in turn."""
    found: set[str] = set()
    rest = start
    while rest:
        new = {name.id for node in rest for name in ast.walk(node) if isinstance(name, ast.Name)} - found
        found |= new
        rest = [node for node in tree.body if _defined(node) & new]
    return found


def _defined(node: ast.stmt) -> set[str]:
    """The names that a statement defines, where defining them is all that it does."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {_name_of(alias) for alias in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    parts = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return {part.id for part in parts if isinstance(part, ast.Name)} if parts else set()


def _name_of(alias: ast.alias) -> str:
    return (alias.asname or alias.name).split(".")[0]


def _tree(node: Any) -> str:
    if isinstance(node, ast.AST):
        inner = [f"{name}={_tree(value)}" for name, value in ast.iter_fields(node) if value is not None and value != []]
        return f"{type(node).__name__}({','.join(inner)})"
    return f"[{','.join(map(_tree, node))}]" if isinstance(node, list) else repr(node)


def _is_plain(wanted: Any) -> bool:
    """Whether a setting may be of this type: bool, int, float, str, or a tuple of such."""
    if typing.get_origin(wanted) is tuple:
        return all(item is Ellipsis or _is_plain(item) for item in typing.get_args(wanted))
    if typing.get_origin(wanted) in (types.UnionType, typing.Union):
        return all(item is type(None) or _is_plain(item) for item in typing.get_args(wanted))
    return typing.get_origin(wanted) is typing.Literal or wanted in (bool, int, float, str)


def _fits(value: Any, wanted: Any) -> bool:
    origin, items = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(items) == 2 and items[1] is Ellipsis:
            return all(_fits(item, items[0]) for item in value)
        return len(value) == len(items) and all(map(_fits, value, items))
    if origin in (types.UnionType, typing.Union):
        return any(value is None if item is type(None) else _fits(value, item) for item in items)
    if origin is typing.Literal:
        return value in items
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


def _words(wanted: Any) -> str:
    """A type as a person would say it."""
    origin, items = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple:
        return f"{_words(items[0])} or several, separated by commas" if items else "nothing"
    if origin in (types.UnionType, typing.Union):
        return " or ".join("none" if item is type(None) else _words(item) for item in items)
    if origin is typing.Literal:
        return "one of " + ", ".join(map(str, items))
    return {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[wanted]


def _read(text: str, wanted: Any, name: str) -> Any:
    """The value that `text` stands for. Raises BadSetting."""
    origin, items = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple:
        parts = [part.strip() for part in text.split(",")] if text.strip() else []
        kinds = [items[0]] * len(parts) if len(items) == 2 and items[1] is Ellipsis else list(items)
        if len(kinds) != len(parts):
            raise BadSetting(f"setting {name} is {len(kinds)} values separated by commas, got {text!r}")
        return tuple(_read(part, kind, name) for part, kind in zip(parts, kinds, strict=True))
    if origin in (types.UnionType, typing.Union):
        if text.lower() == "none" and type(None) in items:
            return None
        return _read(text, next(item for item in items if item is not type(None)), name)
    if origin is typing.Literal and text in map(str, items):
        return next(item for item in items if str(item) == text)
    if wanted is str:
        return text
    if wanted is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if wanted in (int, float):
        try:
            return wanted(text)
        except ValueError:
            pass
    raise BadSetting(f"setting {name} is {_words(wanted)}, got {text!r}")
