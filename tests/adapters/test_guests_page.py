"""docs/guests.md: its examples run and print what the page says, where their libraries are."""

import contextlib
import io
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guests.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, re.DOTALL)
# where the library is not called as the adapter is
LIBRARY = {"open_spiel": "pyspiel", "inspect": "inspect_ai", "verifiers_tasks": "verifiers"}


@pytest.mark.parametrize(("code", "promised"), BLOCKS)
def test_the_examples_run(code, promised):
    adapter = re.search(r"ludus\.adapters\.(\w+)", code)[1]
    if find_spec(LIBRARY.get(adapter, adapter)) is None:
        pytest.skip(f"{adapter} lives in the peers' environment: .venv-peers/bin/python -m pytest tests/adapters")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue().strip() == promised.strip()


def test_every_adapter_has_its_section_and_every_path_exists():
    assert len(BLOCKS) == PAGE.count("```python")
    shown = set(re.findall(r"ludus\.adapters\.(\w+)", PAGE))
    parts = {"__init__", "library", "stepwise", "wordwise"}  # what the adapters share
    assert {path.stem for path in (ROOT / "src/ludus/adapters").glob("*.py")} - parts <= shown
    for path in re.findall(r"(?:src|tests|benchmarks)/[\w/]+\.?\w*", PAGE):
        assert (ROOT / path).exists(), path
