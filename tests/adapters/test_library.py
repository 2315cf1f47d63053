"""A library that is not there: one clear error, and nothing in core that needs it."""

import subprocess
import sys

import pytest

GUESTS = {"open_spiel": ("pyspiel", "open-spiel"), "pettingzoo": ("pettingzoo", "pettingzoo"),
          "gymnasium": ("gymnasium", "gymnasium")}  # fmt: skip


@pytest.mark.parametrize("adapter", GUESTS)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(adapter, monkeypatch):
    module, extra = GUESTS[adapter]
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, f"ludus.adapters.{adapter}", raising=False)
    with pytest.raises(ModuleNotFoundError) as error:
        __import__(f"ludus.adapters.{adapter}")
    assert str(error.value) == (
        f"this adapter needs {module}, which is not installed; write: pip install 'ludus[{extra}]'"
    )


def test_what_a_library_lacks_itself_is_not_blamed_on_the_library(monkeypatch, tmp_path):
    from ludus.adapters.library import library

    (tmp_path / "half_a_guest.py").write_text("import a_part_that_is_not_there\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_part_that_is_not_there"):
        library("half_a_guest", extra="guest")


def test_core_imports_no_guest():
    code = (
        "import sys, ludus.play, ludus.cli.play, ludus.cli.solve, ludus.games, ludus.adapters; "
        "print(*(name for name in sys.modules if name.startswith('ludus.adapters.') or name.split('.')[0] in "
        f"{ {module for module, _ in GUESTS.values()} }))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
