"""The papers you can run, one file each, found by listing the folders: recipes/FAMILY/SLUG.py."""

import difflib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from ludus.study.recipe import NotARecipe, Recipe
from ludus.study.recipe import load as load_file


def find() -> dict[str, Path]:
    """slug -> file. The slug is the file's name with hyphens for underscores; no recipe is imported.

    Installed plugins bring theirs through entry points of the group `ludus.recipes`, SLUG = MODULE; one whose module is
    not there is left out.
    """
    files = sorted(Path(__file__).parent.glob("*/*.py"))
    found = {file.stem.replace("_", "-"): file for file in files if not file.stem.startswith("_")}
    for entry in entry_points(group="ludus.recipes"):
        try:
            module = find_spec(entry.value)
        except ImportError:
            continue
        if module is not None and module.origin:
            found.setdefault(entry.name, Path(module.origin))
    return found


def locate(slug_or_path: str | Path) -> Path:
    """The file of a slug, or the path itself where it is one. Raises NotARecipe, offering the nearest slug."""
    text = str(slug_or_path)
    found = find()
    slug = text.replace("_", "-")
    if slug in found:
        return found[slug]
    if text.endswith(".py"):
        return Path(text)
    near = difflib.get_close_matches(slug, found, 3)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise NotARecipe(f"there is no recipe {text!r}. {hint}`ludus papers` lists them; a file of your own ends in .py")


def load(slug_or_path: str | Path) -> Recipe:
    """The recipe of a slug or a file, checked. Raises NotARecipe."""
    return load_file(locate(slug_or_path))
