"""The words of README and docs, read by a machine: code runs, paths exist, commands are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def test_the_eight_lines_print_an_exact_number():
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line]) <= 8
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    promised = re.search(r"`(Value\(number=[0-9.]+?)\.\.\., (kind='exact')", README)
    assert printed.startswith(promised[1]) and promised[2] in printed


def test_the_size_of_leduc_poker_is_as_the_readme_says():
    from ludus.games import load
    from ludus.tree import grow

    assert f"{len(grow(load('leduc_poker')).turn):,} nodes" in README


@pytest.mark.parametrize("path", re.findall(r"^    (src/\S+)", README, re.MULTILINE))
def test_paths_exist(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_commands_are_commands():
    from ludus.cli import app

    names = {command.name for command in (*app.registered_commands, *app.registered_groups)}
    for name in re.findall(r"^    ludus (\w+)", README, re.MULTILINE):
        assert name in names


def test_the_number_of_papers_is_as_the_readme_says():
    from ludus.catalogue import papers

    assert f"the catalogue of {len(papers())} papers" in README


def test_the_changelog_names_this_version():
    import ludus

    assert f"## {ludus.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
