"""The laboratory's interval, from two ends or from its text."""

from decimal import Decimal

import pytest

from labinterp.interpretation.printed_interval import PrintedInterval, is_given, read_interval
from labinterp.model.submission import ReportedInterval


def ends(low, high, **more):
    return read_interval(ReportedInterval(low=low, high=high, **more))


def text(printed, unit=None):
    return read_interval(ReportedInterval(text=printed, unit=unit))


def interval(low, high, text, **more):
    number = [None if one is None else Decimal(one) for one in (low, high)]
    return PrintedInterval(*number, text, **more)


def test_two_ends_are_inclusive_and_keep_their_unit():
    assert ends("3.5", "5.3", unit="mmol/L") == interval("3.5", "5.3", "3.5–5.3", unit="mmol/L")


def test_one_end_may_be_open():
    assert ends(None, "5.3") == interval(None, "5.3", "–5.3")
    assert ends("3.5", "") == interval("3.5", None, "3.5–")
    assert ends("3.5", " ") == interval("3.5", None, "3.5– ")


def test_a_comparator_in_an_end_excludes_it():
    assert ends(">3.5", "5.3").low_included is False
    assert ends("3.5", "<5.3").high_included is False
    assert ends(">=3.5", "<=5.3") == interval("3.5", "5.3", ">=3.5–<=5.3")


def test_the_laboratorys_own_text_is_kept_beside_the_ends():
    assert ends("3.5", "5.3", text="3.5 to 5.3").text == "3.5 to 5.3"


@pytest.mark.parametrize("low", ["about three", "3,500", "1e99", "3.5.1"])
def test_an_end_that_is_no_number_makes_no_interval(low):
    assert ends(low, "5.3") is None
    assert ends("1", low) is None


@pytest.mark.parametrize(
    ("printed", "low", "high"),
    [
        ("3.5-5.3", "3.5", "5.3"),
        ("3.5 – 5.3", "3.5", "5.3"),
        ("3.5—5.3", "3.5", "5.3"),
        ("3,5-5,3", "3.5", "5.3"),
        ("[3.5-5.3]", "3.5", "5.3"),
        ("(3.5 - 5.3)", "3.5", "5.3"),
        ("3.5 to 5.3", "3.5", "5.3"),
        ("3,5 bis 5,3", "3.5", "5.3"),
        ("3.5..5.3", "3.5", "5.3"),
        ("3.5 ~ 5.3", "3.5", "5.3"),
        ("Ref: 3.5-5.3", "3.5", "5.3"),
        ("Reference range: 3.5-5.3", "3.5", "5.3"),
        ("Reference interval 3.5-5.3", "3.5", "5.3"),
        ("Ref. values:3.5-5.3", "3.5", "5.3"),
        ("range 3.5-5.3", "3.5", "5.3"),
        ("normal 3.5-5.3", "3.5", "5.3"),
        ("up to 5.3", None, "5.3"),
        ("<=5.3", None, "5.3"),
        ("≤ 5.3", None, "5.3"),
        ("⩽5.3", None, "5.3"),
        ("=<5.3", None, "5.3"),
        ("at least 3.5", "3.5", None),
        (">=3.5", "3.5", None),
        ("≥3.5", "3.5", None),
        ("⩾3.5", "3.5", None),
        ("=>3.5", "3.5", None),
    ],
)
def test_an_interval_in_text_includes_its_limits(printed, low, high):
    assert text(printed) == interval(low, high, printed)


@pytest.mark.parametrize("printed", ["<5.3", "less than 5.3", "Below 5.3", "under 5.3", "(<5.3)"])
def test_a_bare_upper_limit_excludes_its_number(printed):
    assert text(printed) == interval(None, "5.3", printed, high_included=False)


@pytest.mark.parametrize("printed", [">3.5", "more than 3.5", "above 3.5", "OVER 3.5"])
def test_a_bare_lower_limit_excludes_its_number(printed):
    assert text(printed) == interval("3.5", None, printed, low_included=False)


def test_a_unit_may_follow_and_the_one_sent_apart_goes_first():
    assert text("3.5-5.3 mmol/L").unit == "mmol/L"
    assert text("<5.3 mmol/L;").unit == "mmol/L"
    assert text("3.5-5.3 mmol/L", "mEq/L").unit == "mEq/L"
    assert text("3.5-5.3").unit is None


@pytest.mark.parametrize(
    "printed",
    [
        "1-2-3",
        "60_100",
        "3.5-5.3 mmol/L; 4-6",
        "see below",
        "",
        "-",
        "3.5-",
        "5.3 <",
        "adults 3.5-5.3",
    ],
)
@pytest.mark.hazard("wrong-interval")
def test_what_is_not_plainly_one_interval_is_not_read(printed):
    assert text(printed) is None


def test_a_text_that_goes_on_and_on_is_not_an_interval():
    assert text("3.5-5.3" + " " * 73 + "mmol/L").unit is None
    assert text(" " * 73 + "3.5-5.3").high == Decimal("5.3")
    assert text(" " * 90 + "3.5-5.3") is None


def test_reversed_limits_contradict_each_other():
    assert text("5.3-3.5").contradicts_itself
    assert not text("3.5-3.5").contradicts_itself
    assert not text("<5.3").contradicts_itself


@pytest.mark.parametrize(
    "printed", [None, ReportedInterval(), ReportedInterval(text="  "), ReportedInterval(low="")]
)
def test_blanks_are_no_interval(printed):
    assert not is_given(printed)


@pytest.mark.parametrize("name", ["low", "high", "text"])
def test_any_part_is_an_interval(name):
    assert is_given(ReportedInterval(**{name: "3"}))
