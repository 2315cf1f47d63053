"""The map in docs/architecture.md against the code: imports point the way it says, and nothing stands off the map."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ludus

PACKAGE = Path(ludus.__file__).parent
MAP = (PACKAGE.parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
MODULES = sorted(PACKAGE.rglob("*.py"))


def station(file: Path) -> str:
    """The folder or file of the map that a module belongs to: "solve", "play", "" for the package itself."""
    first = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first in ("__init__", "__main__") else first


def arrows() -> dict[str, set[str]]:
    """What each station may import, as the layout says it: what is named there, and what that may import in turn."""
    layout = MAP[MAP.index("    src/ludus/\n") : MAP.index("`recipes/` is where the engine")]
    found: dict[str, set[str]] = {}
    lines = re.findall(r"^ {6}(\w+)(?:\.py|/)(.*)$", layout, re.MULTILINE)
    for name, rest in lines:
        clause = re.search(r"imports (.*)$", rest)
        words = clause[1] if clause else "records"
        if words.startswith("nothing of ludus"):
            found[name] = set()
        elif words.startswith("anything above"):
            found[name] = set(found)
        elif words.startswith("anything"):
            found[name] = {other for other, _ in lines} - {name}
        else:
            named = set(re.split(r",\s*", words.strip()))
            assert named <= set(found), f"{name} imports {named - set(found)}, which does not stand above it"
            found[name] = {"records"} | named | set().union(*(found[other] for other in named))
    return found


def imported(file: Path) -> set[str]:
    """The stations that a module imports from, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "ludus":
            names = [f"ludus.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: write the whole name, not a relative import"
            names = [node.module or ""]
        found |= {name.split(".")[1] for name in names if name.startswith("ludus.")}
    return found


def test_the_map_is_read():
    """The reader of the map sees the arrows that a person sees."""
    read = arrows()
    assert read["study"] == set()
    assert read["solve"] == {"records", "game", "tree", "normal_form"}
    assert {"solve", "play", "study"} <= read["recipes"]
    assert "recipes" not in read["study"] and "learn" not in read["solve"]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_one_way(file):
    place = station(file)
    if place == "":
        return
    assert place in arrows(), f"{place} has no line in the layout of docs/architecture.md"
    wrong = imported(file) - arrows()[place] - {place}
    assert not wrong, (
        f"{file.relative_to(PACKAGE)} imports {', '.join(sorted(wrong))}: an arrow that the map does not have"
    )


def test_no_circle():
    """Station after station can be taken away that imports only from those taken before."""
    graph: dict[str, set[str]] = {}
    for file in MODULES:
        graph.setdefault(station(file), set()).update(imported(file) - {station(file)})
    while graph:
        free = [place for place, needs in graph.items() if not needs & set(graph)]
        assert free, f"a circle among {sorted(graph)}"
        for place in free:
            del graph[place]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_module_has_a_docstring(file):
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert text and text.split("\n")[0].strip()


def test_help_and_the_command_line_load_nothing_before_they_are_asked():
    """This keeps help under 0.3 s; benchmarks/startup.py times it."""
    code = "import sys, ludus.cli; print(*sys.modules)"
    asked = "import sys, atexit; atexit.register(lambda: print(*sys.modules)); import ludus.cli; ludus.cli.main()"
    for command in ([code], [asked, "--help"]):
        told = subprocess.run([sys.executable, "-c", *command], capture_output=True, text=True, check=True).stdout
        loaded = set(told.split("\n")[-2].split())
        assert "ludus.cli" in loaded
        slow = {"numpy", "scipy", "numba", "torch", "jinja2", "joblib", "pydantic", "rich.markdown", "typer.rich_utils"}
        assert not loaded & (slow | {"ludus.tree", "ludus.study"})
