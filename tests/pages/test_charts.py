"""Axes, numbers in words, curves with gaps, single seeds and nothing at all."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludus.pages import charts
from ludus.pages.charts import Series


def series(mean, low=None, high=None, step=None, name="arm", colour="colour-0", seeds=8):
    mean = np.asarray(mean, float)
    nothing = np.full(len(mean), math.nan)
    step = np.arange(len(mean), dtype=float) if step is None else np.asarray(step, float)
    low = nothing if low is None else np.asarray(low, float)
    high = nothing if high is None else np.asarray(high, float)
    return Series(name, colour, step, mean, low, high, np.full(len(mean), seeds))


def parsed(picture):
    return ElementTree.fromstring(str(picture))


def found(picture, tag, kind):
    return [one for one in parsed(picture).iter(tag) if kind in (one.get("class") or "").split()]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.0, "−1"),
        (0.916667, "0.917"),
        (11.6, "11.6"),
        (0.0039, "0.0039"),
        (30720.0, "30,720"),
        (1234.5, "1,234"),
        (1e-9, "10⁻⁹"),
        (-2.5e-7, "−2.5×10⁻⁷"),
        (1.28e7, "1.28×10⁷"),
        (math.nan, "not a number"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_a_number_in_words(number, text):
    assert charts.number_text(number) == text


def test_decimals_are_kept_and_a_rounded_zero_has_no_sign():
    assert charts.number_text(2.0, 2) == "2.00"
    assert charts.number_text(-0.001, 2) == "0.00"
    assert charts.number_text(-0.01, 2) == "−0.01"
    assert charts.decimals_for(0.019) == 3  # 0.480 to 0.499
    assert charts.decimals_for(19.0) == 0
    assert charts.decimals_for(0.0) is None


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.integers(1, 12))
def test_ticks_are_round_evenly_spaced_and_hold_both_ends(one, other, about):
    low, high = min(one, other), max(one, other)
    marks = charts.ticks(low, high, about)
    slack = 1e-6 * (marks[-1] - marks[0])
    assert marks[0] <= low + slack and marks[-1] >= high - slack
    assert 2 <= len(marks) <= about + 3
    gaps = np.diff(marks)
    assert np.allclose(gaps, gaps[0], rtol=1e-6)
    mantissa = float(f"{gaps[0]:.3e}".split("e")[0])
    assert mantissa in (1.0, 2.0, 2.5, 5.0, 10.0)


def test_ticks_of_one_value_leave_room_and_bad_ends_are_refused():
    assert charts.ticks(3.0, 3.0)[0] < 3.0 < charts.ticks(3.0, 3.0)[-1]
    assert charts.ticks(0.0, 0.0)[0] < 0.0 < charts.ticks(0.0, 0.0)[-1]
    with pytest.raises(ValueError, match="finite"):
        charts.ticks(0.0, math.inf)
    with pytest.raises(ValueError, match="about"):
        charts.ticks(0.0, 1.0, 0)


def test_tick_texts_tell_neighbours_apart():
    assert charts.tick_texts([0.0, 0.25, 0.5]) == ["0", "0.25", "0.50"]
    assert charts.tick_texts([0.9190, 0.9191, 0.9192]) == ["0.9190", "0.9191", "0.9192"]
    assert charts.tick_texts([0.0, 2.5, 5.0]) == ["0", "2.5", "5.0"]
    assert charts.tick_texts([-1000.0, 0.0, 1000.0]) == ["−1,000", "0", "1,000"]
    assert charts.tick_texts([0.001, 0.1, 10.0]) == ["0.001", "0.1", "10"]
    assert charts.tick_texts([0.0, 1e7]) == ["0", "10⁷"]
    assert charts.tick_texts([3.0]) == ["3"]


def test_log_ticks_are_powers_of_ten_thinned_where_they_are_many():
    assert charts.log_ticks(0.02, 3.0) == pytest.approx([0.01, 0.1, 1.0, 10.0])
    many = charts.log_ticks(1e-12, 1.0)
    assert len(many) <= 8 and many[0] <= 1e-12 and many[-1] >= 1.0
    with pytest.raises(ValueError, match="above zero"):
        charts.log_ticks(0.0, 1.0)


def test_an_axis_is_logarithmic_only_for_positive_values_over_two_decades():
    assert charts.scale(np.array([0.001, 1.0])).log
    assert not charts.scale(np.array([0.1, 1.0])).log
    assert not charts.scale(np.array([0.0, 1000.0])).log
    assert not charts.scale(np.array([-1.0, 1000.0])).log
    assert charts.scale(np.array([math.nan, math.inf])).low == 0.0
    assert charts.scale(np.array([])).high == 1.0


def test_places_on_an_axis():
    linear, log = charts.Scale(0.0, 10.0, False, []), charts.Scale(0.01, 100.0, True, [])
    assert charts.place(linear, np.array([0.0, 2.5, 10.0, 99.0])).tolist() == [0.0, 0.25, 1.0, 1.0]
    assert charts.place(log, np.array([0.01, 1.0, 100.0, 0.0, -5.0])) == pytest.approx([0.0, 0.5, 1.0, 0.0, 0.0])
    assert np.isnan(charts.place(log, np.array([math.nan]))).all()
    assert np.isnan(charts.place(linear, np.array([math.nan]))).all()


def test_steps_that_crowd_at_the_beginning_get_a_logarithmic_axis():
    assert charts.step_scale(np.array([1, 3, 10, 30, 100, 300, 1000])).log
    assert not charts.step_scale(np.arange(1, 1001)).log
    assert charts.step_scale(np.array([7])).ticks == [7.0]
    assert charts.step_scale(np.array([0, 1])).ticks == [0.0, 1.0]  # no half steps


def test_a_curve_stands_where_its_numbers_are():
    picture = charts.curves([series([0.0, 1.0], step=[0, 10]), series([1.0, 0.0], step=[0, 10], name="b")], "x")
    up = charts.value_scale([series([0.0, 1.0]), series([1.0, 0.0])])
    top = round((1 - float(charts.place(up, np.array(1.0)))) * charts.FRAME)
    bottom = round((1 - float(charts.place(up, np.array(0.0)))) * charts.FRAME)
    assert top < 0.1 * charts.FRAME and bottom > 0.9 * charts.FRAME
    assert [one.get("d") for one in found(picture, "path", "line")] == [
        f"M0 {bottom}L{charts.FRAME} {top}",
        f"M0 {top}L{charts.FRAME} {bottom}",
    ]


def test_one_seed_has_a_line_and_no_band():
    picture = charts.curves([series([1.0, 2.0, 3.0], seeds=1)], "x")
    assert len(found(picture, "path", "line")) == 1 and not found(picture, "path", "band")
    assert "1 seed" in str(picture) and "1 seeds" not in str(picture)


def test_a_band_runs_there_and_back():
    picture = charts.curves([series([1.0, 2.0], [0.5, 1.5], [1.5, 2.5])], "x")
    (band,) = found(picture, "path", "band")
    assert band.get("d").count("L") == 3 and band.get("d").endswith("Z")


def test_a_gap_in_the_numbers_is_a_gap_in_the_line():
    whole = charts.curves([series([1.0, 2.0, 3.0, 4.0, 5.0])], "x")
    broken = charts.curves([series([1.0, 2.0, math.nan, 4.0, 5.0])], "x")
    lonely = charts.curves([series([1.0, math.nan, 3.0, 4.0])], "x")
    assert found(whole, "path", "line")[0].get("d").count("M") == 1
    assert found(broken, "path", "line")[0].get("d").count("M") == 2
    assert len(found(lonely, "circle", "dot")) == 1
    for picture in (whole, broken, lonely):
        assert "nan" not in str(picture).lower()


@pytest.mark.parametrize("mean", [[], [math.nan, math.nan], [math.inf]])
def test_nothing_to_draw_is_said(mean):
    assert "Nothing was recorded" in charts.curves([series(mean)], "x")
    assert charts.panels([series(mean)], "x") == []


def test_a_single_point_is_a_dot_with_its_interval():
    picture = charts.curves([series([2.0], [1.0], [3.0])], "x")
    assert len(found(picture, "circle", "dot")) == 1 and len(found(picture, "line", "whisker")) == 1


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    long = series(np.linspace(0.0, 1.0, 100_000), np.linspace(-0.1, 0.9, 100_000), np.linspace(0.1, 1.1, 100_000))
    assert len(charts.curves([long], "x")) < 20_000
    short = charts.thin(long, 100)
    assert len(short.step) <= 100 and short.step[0] == 0 and short.step[-1] == 99_999


def test_a_wide_band_does_not_press_the_curves_flat():
    wild = series([0.0, 1.0, 0.5], [-500.0, 0.9, 0.4], [500.0, 1.1, 0.6])
    axis = charts.value_scale([wild])
    assert axis.low > -1.5 and axis.high < 2.5


@pytest.mark.parametrize("constant", [0.0, 3.0, -2.0, 1e-7])
def test_a_curve_that_never_moves_is_shown_against_zero(constant):
    axis = charts.value_scale([series([constant] * 5)])
    assert not axis.log and min(axis.low, axis.high) == min(0.0, axis.low) and axis.low <= constant <= axis.high
    assert 0.0 in axis.ticks and axis.low * axis.high == 0.0  # a probability of zero has no negative side


def test_panels_share_their_axes_and_show_the_control_behind():
    control = series([0.0, 0.0], name="shuffled", colour="control")
    pictures = charts.panels([series([0.0, 9.0], name="a"), series([0.0, 1.0], name="b"), control], "x", control)
    assert len(pictures) == 3
    scales = [[one.text for one in found(p, "text", "tick")] for p in pictures]
    assert scales[0] == scales[1] == scales[2]
    assert [len(found(p, "path", "behind")) for p in pictures] == [1, 1, 0]


@given(st.lists(st.floats(0, 200), min_size=1, max_size=12))
def test_names_never_touch_and_stay_in_order_inside(wanted):
    wanted = sorted(wanted)
    placed = charts.apart(wanted, 15.0, 0.0, 240.0)
    assert len(placed) == len(wanted)
    assert (np.diff(placed) >= 15.0 - 1e-6).all()
    assert placed[0] >= -1e-6 and placed[-1] <= 240.0 + 1e-6


def test_names_that_have_room_stay_where_they_belong():
    assert charts.apart([10.0, 100.0, 200.0], 15.0, 0.0, 240.0) == [10.0, 100.0, 200.0]


def test_an_effect_against_zero_and_its_margin():
    picture = charts.effect(0.8, (0.4, 1.2), [0.5], "holds", "effect 0.8")
    (bar,), (dot,), (margin,) = (
        found(picture, "line", "bar"),
        found(picture, "circle", "dot"),
        found(picture, "line", "margin"),
    )
    share = [float(text.rstrip("%")) for text in (bar.get("x1"), margin.get("x1"), dot.get("cx"), bar.get("x2"))]
    assert share == sorted(share) and share[0] < share[1] < share[2] < share[3]
    assert [one.text for one in found(picture, "text", "nought")] == ["0"]
    assert not found(charts.effect(0.8, (0.4, 1.2), [0.0], "holds", "x"), "line", "margin")


def test_an_unbounded_interval_spans_the_picture_and_no_effect_is_no_picture():
    (bar,) = found(charts.effect(0.8, (-math.inf, math.inf), [], "open", "x"), "line", "bar")
    assert (bar.get("x1"), bar.get("x2")) == ("0.00%", "100.00%")
    assert charts.effect(math.nan, None, [], "open", "x") == ""
    assert charts.ranges(charts.Scale(0, 1, False, [0, 1]), math.nan, None, "colour-0", "x") == ""


def test_names_are_escaped_in_text_titles_and_attributes():
    name = '"><script>alert(1)</script>'
    shown = series([1.0, 2.0], name=name)
    pictures = [charts.curves([shown], name), *charts.panels([shown], name), charts.effect(1, None, [], "open", name)]
    for picture in pictures:
        assert "<script" not in picture
        assert not [one for one in parsed(picture).iter() if re.search("script", one.tag)]
