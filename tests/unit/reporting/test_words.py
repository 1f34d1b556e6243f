"""Numbers, units and dates are printed one way everywhere, and no digit is lost."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from labinterp.reporting import words


@pytest.mark.parametrize(
    ("number", "decimals", "printed"),
    [
        ("2.90", 0, "2.90"),
        ("0.7", 2, "0.70"),
        ("-2.5", 0, "−2.5"),
        ("1E+2", 0, "100"),
        ("0.135", 1, "0.135"),
    ],
)
def test_a_number_keeps_its_digits(number, decimals, printed):
    assert words.number(Decimal(number), decimals) == printed


@pytest.mark.parametrize(
    ("number", "figures", "printed"),
    [
        ("0.4526", 2, "0.45"),
        ("44.93", 2, "45"),
        ("302.58", 3, "303"),
        ("2.90", 3, "2.90"),
        ("1456", 2, "1500"),
        ("0", 2, "0"),
        ("9.96", 2, "10"),
        ("-1.25", 2, "−1.3"),
    ],
)
def test_a_converted_number_has_no_more_figures_than_were_sent(number, figures, printed):
    assert words.rounded(Decimal(number), figures) == printed


@pytest.mark.parametrize(
    ("sent", "figures"),
    [("2.90", 3), ("0.05", 1), ("< 50", 2), ("410", 3), ("0,50", 2), ("text", 1)],
)
def test_the_figures_of_a_value_as_sent(sent, figures):
    assert words.figures(sent) == figures


def test_a_comparator_stays_with_its_number():
    assert words.as_sent("50", "<") == "<\u00a050"
    assert words.as_sent("3", "<=") == "≤\u00a03"


def test_a_negative_value_is_printed_with_a_minus_sign():
    assert words.as_sent("-2.5", None) == "−2.5"


def test_a_value_in_words_stays_as_sent():
    assert words.as_sent("haemolysed - not measured", None) == "haemolysed - not measured"


def test_a_unit_never_leaves_its_number():
    assert words.with_unit("2.4", "mmol/L") == "2.4\u00a0mmol/L"


def test_dates_have_their_month_in_letters_and_times_their_offset():
    at = datetime(2026, 11, 20, 8, 5, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert words.day(date(2026, 11, 20)) == "20 Nov 2026"
    assert words.day(date(2026, 9, 21)) == "21 Sep 2026"
    assert words.moment(at) == "20 Nov 2026 08:05 (UTC−03:30)"
    assert words.moment(datetime(2026, 1, 2, 23, 0, tzinfo=UTC)) == "2 Jan 2026 23:00 (UTC)"


def test_words_in_place_of_a_number_may_be_parted_from_the_unit():
    assert words.with_unit("haemolysed", "mmol/L") == "haemolysed mmol/L"
    assert words.with_unit("27", "mg/dL (urea nitrogen)") == "27\u00a0mg/dL (urea nitrogen)"


def test_a_formula_is_printed_and_not_programmed():
    assert words.formula("142 * scr**-1.2 - adjusted_calcium") == (
        "142 × scr^\u22121.2 \u2212 adjusted calcium"
    )


def test_a_capital_leaves_abbreviations_alone():
    assert words.capital("pattern fits") == "Pattern fits"
    assert words.capital("eGFR is low") == "eGFR is low"


def test_zero_has_no_minus():
    assert words.number(Decimal("-0.0"), 1) == "0.0"
    assert words.number(Decimal("-0.1"), 1) == "−0.1"
