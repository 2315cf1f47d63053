"""A recipe file is checked when it is loaded: one clear error a rule; settings from text; the hash of the code."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from ludus import recipes
from ludus.study import BadSetting, Higher, NotARecipe, NotWorse, Recipe
from ludus.study.recipe import check, code_hash, load, resolve, sections

HERE = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Settings:
    dose: float = 1.0
    rounds: int = 10
    trick: bool = True
    name: str = "x"
    games: tuple[str, ...] = ("kuhn_poker", "tic_tac_toe")
    sizes: tuple[int, int] = (3, 4)
    agent: str | None = None


GOOD = Recipe(
    slug="good",
    arms={"on": Settings(), "half": Settings(dose=0.5), "off": Settings(dose=0.0)},
    run=lambda settings, rng, log: {"m": 1.0},
    claims=(Higher("on", than="half", metric="m"),),
    control="off",
    seeds=8,
    minutes=1,
)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"control": None}, "needs a control arm"),
        ({"control": "of"}, "the control of claim 1|the control is one of the arms"),
        ({"claims": (Higher("on", than="half", metric="m", control="nowhere"),)}, "the control of claim 1"),
        ({"claims": (Higher("on", than="half", metric="m", control="on"),)}, "is not its first arm"),
        ({"claims": (Higher("no", than="half", metric="m"),)}, "the arms of claim 1.*among the recipe's"),
        ({"claims": (Higher("on", than="on", metric="m"),)}, "compares different arms"),
        ({"claims": (Higher("on", than="half", metric="m", scope="elsewhere"),)}, "the scope of claim 1"),
        ({"claims": (Higher("on", than="half", metric="m", by=-1),)}, "by in claim 1.*is not negative"),
        ({"claims": (NotWorse("on", than="half", metric="m", margin=0),)}, "the margin of claim 1.*above zero"),
        ({"claims": ()}, "a recipe has claims"),
        ({"claims": ("higher",)}, "claim 1 is one of the forms"),
        ({"arms": {}}, "a recipe has arms"),
        ({"arms": {"../on": Settings()}}, "the name of an arm is made of"),
        ({"arms": {"on": Settings(), "half": 3, "off": Settings()}}, "one Settings class"),
        ({"arms": {arm: Settings(dose="1") for arm in ("on", "half", "off")}}, "dose of arm on is a number"),
        ({"slug": "a/b"}, "a slug is made of"),
        ({"seeds": 0}, "seeds is a whole number"),
        ({"run": None}, "run is a function"),
        ({"quick": {"dosis": 1}}, "quick: good has no setting 'dosis'. Did you mean dose"),
        ({"quick": {"rounds": 1.5}}, "quick: setting rounds is a whole number, got 1.5"),
        ({"quick": {"dose": 0.2}}, "tells the arms on and half apart"),
    ],
)
def test_each_rule_has_its_error(change, message):
    check(GOOD, "here.py")
    with pytest.raises(NotARecipe, match=message) as error:
        check(dataclasses.replace(GOOD, **change), "here.py")
    assert str(error.value).startswith("here.py: ")


def test_settings_are_a_frozen_dataclass_of_plain_types():
    @dataclass
    class Loose:
        x: int = 1

    with pytest.raises(NotARecipe, match="frozen dataclass"):
        check(dataclasses.replace(GOOD, arms={"on": Loose(), "half": Loose(), "off": Loose()}), "here.py")

    @dataclass(frozen=True)
    class Odd:
        x: dict

    with pytest.raises(NotARecipe, match="setting x is a number, text, bool or tuple"):
        check(dataclasses.replace(GOOD, arms={arm: Odd({}) for arm in GOOD.arms}), "here.py")


@pytest.mark.parametrize(
    "text, value",
    [
        ({"rounds": "7"}, {"rounds": 7}),
        ({"trick": "false"}, {"trick": False}),
        ({"games": "kuhn_poker"}, {"games": ("kuhn_poker",)}),
        ({"games": "a, b"}, {"games": ("a", "b")}),
        ({"sizes": "5,6"}, {"sizes": (5, 6)}),
        ({"agent": "http://x"}, {"agent": "http://x"}),
        ({"agent": "none"}, {"agent": None}),
        ({"games": ["a"]}, {"games": ("a",)}),
        ({"rounds": 3}, {"rounds": 3}),
    ],
)
def test_overrides_are_read_by_type(text, value):
    for arm, settings in resolve(GOOD, text).items():
        assert settings == dataclasses.replace(GOOD.arms[arm], **value)


@pytest.mark.parametrize(
    "text, message",
    [
        ({"round": "7"}, "no setting 'round'. Did you mean rounds"),
        ({"rounds": "7.5"}, "setting rounds is a whole number, got '7.5'"),
        ({"rounds": True}, "setting rounds is a whole number, got True"),
        ({"trick": "yes"}, "setting trick is true or false, got 'yes'"),
        ({"sizes": "5"}, "setting sizes is 2 values separated by commas, got '5'"),
        ({"name": 3}, "setting name is text, got 3"),
        ({"dose": "2"}, "what tells the arms on and half apart"),
    ],
)
def test_overrides_that_do_not_fit(text, message):
    with pytest.raises(BadSetting, match=message):
        resolve(GOOD, text)


def test_only_the_arms_that_run_have_to_stay_apart():
    """`dose` tells on from half; one of them alone may have any."""
    assert resolve(GOOD, {"dose": "2"}, arms=["on"]) == {"on": dataclasses.replace(GOOD.arms["on"], dose=2.0)}
    with pytest.raises(BadSetting, match="what tells the arms on and half apart"):
        resolve(GOOD, {"dose": "2"}, arms=["half", "on"])


def test_quick_settings_come_first_and_overrides_on_top():
    recipe = dataclasses.replace(GOOD, quick={"rounds": 2, "name": "quick"})
    settings = resolve(recipe, {"rounds": "3"}, quick=True)["on"]
    assert (settings.rounds, settings.name) == (3, "quick")


def test_files_that_are_no_recipes(tmp_path):
    source = (HERE / "moran.py").read_text()
    for change, message in (
        (lambda s: s.replace("Claims    1", "It says   1"), "missing: Claims"),
        (lambda s: s.replace("RECIPE = ", "OTHER = "), "ends in RECIPE = Recipe"),
        (lambda s: s.replace('control="neutral"', "control=None"), "needs a control arm"),
        (lambda s: s + "\nraise OSError('no')", "cannot be imported: OSError: no"),
        (lambda s: s + "\ndef", "is no Python"),
    ):
        file = tmp_path / "study.py"
        file.write_text(change(source))
        with pytest.raises(NotARecipe, match=message) as error:
            load(file)
        assert str(file) in str(error.value)
    with pytest.raises(NotARecipe, match="a recipe is a Python file"):
        load(tmp_path / "absent.py")


def test_sections_of_the_docstring():
    found = sections(HERE / "moran.py")
    assert found[""].startswith("The Moran process")
    assert found["Paper"].startswith("Random processes in genetics")


def test_the_hash_sees_code_and_nothing_else(tmp_path):
    source = (HERE / "moran.py").read_text()

    def hash_of(text):
        (tmp_path / "study.py").write_text(text)
        return code_hash(tmp_path / "study.py")

    same = hash_of(source)
    assert hash_of(source.replace("The Moran process:", "Moran's process:")) == same
    assert hash_of(source.replace("\n\n", "\n\n# a comment\n")) == same
    assert hash_of(source.replace("    state = log", '    """A docstring."""\n    state = log')) == same
    assert hash_of(source.replace("fitness: float = 2.0", "fitness: float = 2.5")) != same
    assert hash_of(source.replace('than=0.3, metric="fixed"', 'than=0.4, metric="fixed"')) != same


def test_the_hash_leaves_out_what_only_the_server_reaches(tmp_path):
    """So that what asks a real model can be written or mended without a new record of what `run` computes."""
    source = (HERE / "moran.py").read_text()
    asks = source.replace("quick={", "server=ask,\n    quick={").replace(
        "\nRECIPE =",
        "import json\nfrom math import tau, pi\nWORDS, LIMIT = json.dumps('a'), 3\n\n"
        "def ask(settings, rng, log, agent):\n    return counted(agent) + settings.size\n\n"
        "def counted(agent):\n    return len(agent + WORDS) * tau\n\nRECIPE =",
    )

    def hash_of(text, server=False):
        (tmp_path / "study.py").write_text(text)
        return code_hash(tmp_path / "study.py", server)

    assert hash_of(asks) != hash_of(source)  # LIMIT and pi are nobody's, so they are not the server's either
    asks = asks.replace("WORDS, LIMIT = json.dumps('a'), 3", "WORDS = json.dumps('a')").replace("tau, pi", "tau")
    assert hash_of(asks) == hash_of(source) == hash_of(source, server=True)
    assert hash_of(asks, server=True) != hash_of(source)
    assert hash_of(asks.replace("* tau", "+ tau")) == hash_of(source)
    assert hash_of(asks.replace("* tau", "+ tau"), server=True) != hash_of(asks, server=True)
    assert hash_of(asks.replace("size: int = 10", "size: int = 11")) != hash_of(source)  # `run` reaches it too
    shared = asks.replace("births = 1, 0", "births = 1, counted('')")  # now `run` reaches a part of the server's
    assert hash_of(shared) != hash_of(asks) and hash_of(shared.replace("* tau", "+ tau")) != hash_of(shared)


def test_recipes_are_found_by_listing():
    for slug, file in recipes.find().items():
        assert file.name == slug.replace("-", "_") + ".py"
    slug = next(iter(recipes.find()))
    assert recipes.locate(slug.replace("-", "_")) == recipes.find()[slug]
    assert recipes.load(HERE / "moran.py").slug == "moran"
    with pytest.raises(NotARecipe, match=f"Did you mean.*{slug}"):
        recipes.locate(slug[:-1])


def test_a_recipe_of_a_package_has_its_own_name_in_every_process():
    """Numba's disk cache holds the name of the module that compiled: with two names a file would break its cache."""
    for slug, path in recipes.find().items():
        assert load(path).run.__module__ == f"ludus.recipes.{path.parent.name}.{path.stem}", slug
