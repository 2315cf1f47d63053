"""Games and recipes of other packages come through entry points, and a broken one harms nobody."""

from importlib.metadata import EntryPoint

import pytest

from ludus import games, recipes
from ludus.game import UnknownGame
from ludus.games import kuhn_poker


def brought(monkeypatch, room, *entries):
    points = {}
    for name, value, group in entries:
        points.setdefault(group, []).append(EntryPoint(name, value, group))
    monkeypatch.setattr(room, "entry_points", lambda group: points.get(group, []))


def test_a_game_of_another_package(monkeypatch):
    brought(monkeypatch, games, ("their_game", "ludus.games.kuhn_poker", "ludus.games"))
    monkeypatch.setattr(kuhn_poker, "THEIR_GAME", kuhn_poker.variant(players=3), raising=False)
    assert "their_game" in games.names()
    assert games.load("their_game").players == 3


def test_a_broken_game_is_named_and_the_others_are_listed(monkeypatch, capsys):
    from ludus.cli.play import show_games

    brought(monkeypatch, games, ("broken", "no_such_module", "ludus.games"))
    with pytest.raises(UnknownGame, match="the plugin 'no_such_module' that brings broken does not load"):
        games.load("broken")
    show_games(json=True)
    told = capsys.readouterr()
    assert '"kuhn_poker"' in told.out and "warning: game: the plugin 'no_such_module'" in told.err


def test_recipes_of_other_packages(monkeypatch):
    entries = [
        ("their-paper", "tests.study.recipes.moran", "ludus.recipes"),
        ("gone", "no_such_package.module", "ludus.recipes"),
        ("spiral", "tests.study.recipes.moran", "ludus.recipes"),  # ours is not taken away
    ]
    brought(monkeypatch, recipes, *entries)
    found = recipes.find()
    assert found["their-paper"].name == "moran.py" and "gone" not in found
    assert found["spiral"].name == "spiral.py"
