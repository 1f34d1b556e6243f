"""The number line shows where a result lies, and never more than is known."""

from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from labinterp.reporting.number_line import Captions, axis, fitting, geometry, svg
from tests.unit.reporting.orders import a_line

CAPTIONS = Captions(alt="Potassium 2.4 mmol/L, critical low.", value="2.4")


def a_geometry(*arguments, others=(), **more):
    return geometry(a_line(*arguments, **more), CAPTIONS, others)


def test_the_axis_shows_one_width_on_either_side():
    assert axis(a_line("4.0", "3.5", "5.5")) == (Decimal("1.5"), Decimal("7.5"))


def test_the_axis_reaches_beyond_the_critical_limits_by_three_tenths_of_the_width():
    ends = axis(a_line("4.0", "3.5", "5.5", critical=("1.0", "9.0")))
    assert ends == (Decimal("0.4"), Decimal("9.6"))


def test_the_axis_reaches_the_value_and_the_others_of_its_measurand():
    assert axis(a_line("9.9", "3.5", "5.5"), [Decimal("0.2")]) == (Decimal("0.2"), Decimal("9.9"))


def test_the_axis_stops_at_what_is_plausible():
    assert axis(a_line("1.0", "0.7", "1.0", critical=("0.1", None)))[0] == Decimal("0.01")
    assert axis(a_line("0.4", "0.2", "2.6"))[0] == 0


def test_without_an_interval_there_is_no_graphic():
    assert a_geometry("4.0", None, None) is None


def test_an_interval_of_no_width_gives_no_graphic():
    assert a_geometry("4.0", "5", "5") is None


def test_a_one_sided_interval_is_open_at_its_other_end():
    line = a_geometry("45", "50", None)
    assert line.band == (0.5, 1.0)
    assert (line.low_end, line.high_end) == (True, False)


def test_an_upper_limit_alone_is_open_downwards():
    line = a_geometry("3", None, "5.0")
    assert line.band == (0.0, 0.5)
    assert (line.low_end, line.high_end) == (False, True)


@pytest.mark.parametrize(
    ("comparator", "kind"), [("<", "below"), ("<=", "below"), (">", "above"), ("≥", "above")]
)
@pytest.mark.hazard("lost-comparator")
def test_a_result_with_a_comparator_is_never_a_point(comparator, kind):
    assert a_geometry("50", "40", "90", comparator=comparator).kind == kind


def test_a_value_beyond_the_axis_is_a_chevron_with_its_number():
    line = geometry(a_line("-3", "1", "2"), CAPTIONS)
    assert (line.kind, line.value, line.value_text) == ("off_left", 0.0, "2.4")


def test_an_earlier_value_beyond_the_axis_is_said_to_be_beyond():
    line = a_geometry("4", "3.5", "5.5", previous="99")
    assert (line.previous, line.previous_off) == (1.0, True)


def test_labels_keep_their_distance_or_fall_away():
    line = a_geometry("4.0", "3.5", "5.5", critical=("3.2", "5.8"))
    narrow = 40.0
    texts = [
        label.text for label, _ in fitting(line.labels, 600.0, lambda text: 6.0 * len(text), 3)
    ]
    ends = [label.text for label, _ in fitting(line.labels, 120.0, lambda text: 6.0 * len(text), 3)]
    none = fitting(line.labels, narrow, lambda text: 6.0 * len(text), 3)
    assert texts == ["3.2", "3.5", "5.5", "5.8"]
    assert ends == ["3.5", "5.5"]
    assert none == ()


def test_the_ends_of_a_narrow_band_are_printed_beside_it_rather_than_left_out():
    wide = a_geometry("1.8", "1.15", "1.30", critical=("0.8", "1.6"))
    (low, left), (high, right) = fitting(wide.labels, 100.0, lambda text: 4.0 * len(text), 3)
    assert left + 16 <= low.at * 100 + 0.01
    assert right >= high.at * 100


def test_the_alternative_text_is_at_most_150_characters():
    line = geometry(a_line("4", "3", "5"), Captions(alt="x" * 400, value="4"))
    assert len(line.alt) == 150


def test_the_svg_is_well_formed_has_a_name_and_no_style_attribute():
    drawn = svg(a_geometry("2.4", "3.5", "5.3", critical=("2.5", "6.5"), previous="3.0"))
    picture = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    assert picture.get("role") == "img"
    assert picture.get("viewBox") == "0 0 300 44"
    assert picture[0].text == CAPTIONS.alt
    assert "style=" not in drawn


def test_a_hostile_name_stays_text_in_the_svg():
    line = geometry(a_line("4", "3", "5"), Captions(alt='<script>"x"</script>', value="4"))
    picture = ET.fromstring(svg(line))  # noqa: S314 - our own drawing
    assert picture[0].text == '<script>"x"</script>'


def test_the_svg_of_a_comparator_draws_no_triangle():
    drawn = svg(a_geometry("50", "40", "90", comparator="<"))
    assert "polygon" not in drawn
    assert 'class="nl-value"' in drawn
