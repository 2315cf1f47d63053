"""docs/writing-a-game.md quotes the real file, and what it runs gives what it says."""

import doctest
import re
from pathlib import Path

import pytest

from ludus.games import kuhn_poker

PAGE = (Path(__file__).parents[2] / "docs" / "writing-a-game.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", [block for block in BLOCKS if not block.startswith(">>>")])
def test_quotes(block):
    assert block in Path(kuhn_poker.__file__).read_text()


def test_examples():
    examples = "\n".join(block for block in BLOCKS if block.startswith(">>>"))
    test = doctest.DocTestParser().get_doctest(examples, {}, "writing-a-game", None, 0)
    assert test.examples and doctest.DocTestRunner().run(test).failed == 0


def test_every_function_of_the_file_is_shown():
    for name in ("turn", "options", "apply", "payoff", "view", "tell"):
        assert any(f"def {name}(" in block for block in BLOCKS)


def test_paths_exist():
    root = Path(__file__).parents[2]
    for path in re.findall(r"(?:src|tests|games|docs)/[\w/]+\.?\w*", PAGE):
        assert (root / path).exists() or (root / "src" / "ludus" / path).exists(), path
