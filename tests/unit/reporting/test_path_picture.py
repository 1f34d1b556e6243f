"""The picture of the causal paths: nothing overlaps, all is inside, and a sentence says it all."""

import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest

from labinterp.interpretation.paths import active_paths
from labinterp.model.interpretation import Path
from labinterp.reporting.flowables import PATH_PEN, TALLEST
from labinterp.reporting.path_picture import (
    MOST,
    OPPOSES,
    SVG_PEN,
    SVG_WIDTH,
    drawn,
    legend,
    not_drawn,
    picture,
    sentence,
    svg,
)
from tests.build import interpreted, knowledge

PAPER = 505.0
WAYS = [(SVG_PEN, float(SVG_WIDTH), "down"), (PATH_PEN, PAPER, "across"), (PATH_PEN, 150.0, "down")]
MECHANISMS = sorted({step.mechanism for step in knowledge().paths if step.mechanism})
OF_NERVE = ("magnesium-low", "calcium-low", "alkalosis", "vitamin-d-low", "pth-low")
SETS = [
    *((one,) for one in MECHANISMS),
    *combinations(MECHANISMS, 2),
    *combinations(OF_NERVE, 3),
    (*OF_NERVE, "potassium-low"),
    ("magnesium-low", "calcium-low", "potassium-high", "calcium-high"),
    tuple(MECHANISMS),
]


def a_path(text, *, opposes=False, recorded=False):
    """`low mg > pth falls > tetany`."""
    labels = tuple(text.split(" > "))
    nodes = tuple(label.replace(" ", "-") for label in labels)
    return Path(
        nodes=nodes,
        labels=tuple(label[:1].upper() + label[1:] for label in labels),
        sentence="",
        starts_with=labels[0],
        opposes=opposes,
        sources=(),
        recorded=recorded,
    )


def the_severe_paths():
    answer = interpreted(
        "magnesium 0.45 mmol/L",
        "adjusted_calcium 1.78 mmol/L",
        "potassium 2.9 mmol/L",
        "vitamin_d_25oh 20 nmol/L",
        age="54 years",
        sex="female",
        symptoms=["facial-twitch", "carpopedal-spasm"],
    )
    return answer.twitching.paths


def apart(one, other):
    beside = one.right < other.x or other.right < one.x
    return beside or one.bottom < other.y or other.bottom < one.y


def crosses(one, other, box):
    """Whether a stretch of an arrow goes through the inside of a box."""
    (x0, x1), (y0, y1) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    slack = 0.05
    level = x0 < box.right - slack and x1 > box.x + slack
    return level and y0 < box.bottom - slack and y1 > box.y + slack


def touches(point, box):
    slack = 0.05
    inside = box.x - slack <= point[0] <= box.right + slack
    return inside and box.y - slack <= point[1] <= box.bottom + slack


@pytest.mark.parametrize(("pen", "width", "way"), WAYS, ids=["page", "paper", "narrow"])
def test_whatever_is_active_no_box_overlaps_and_no_arrow_crosses_one(pen, width, way):
    for mechanisms in SETS:
        made = picture(active_paths(knowledge(), mechanisms), pen, width, way)
        if made is None:
            continue
        for one, other in combinations(made.boxes, 2):
            assert apart(one, other), (mechanisms, one, other)
        for arrow in made.arrows:
            for one, other in pairwise(arrow.points):
                assert one[0] == other[0] or one[1] == other[1]
                assert not [box.id for box in made.boxes if crosses(one, other, box)], mechanisms


@pytest.mark.parametrize(("pen", "width", "way"), WAYS, ids=["page", "paper", "narrow"])
def test_whatever_is_active_all_of_it_is_inside_the_frame(pen, width, way):
    for mechanisms in SETS:
        made = picture(active_paths(knowledge(), mechanisms), pen, width, way)
        if made is None:
            continue
        assert made.width == width
        for box in made.boxes:
            assert box.x >= 0
            assert box.right <= made.width, (mechanisms, box)
            assert box.bottom <= made.height
            for line in box.lines:
                assert box.x + pen.pad + pen.width_of(line) <= box.right + 0.05, (mechanisms, line)
        for arrow in made.arrows:
            assert all(0 <= x <= made.width and 0 <= y <= made.height for x, y in arrow.points)


@pytest.mark.parametrize(("pen", "width", "way"), WAYS, ids=["page", "paper", "narrow"])
def test_every_arrow_joins_the_boxes_of_its_step(pen, width, way):
    paths = the_severe_paths()
    made = picture(paths, pen, width, way)
    boxes = {box.id: box for box in made.boxes}
    for arrow in made.arrows:
        assert touches(arrow.points[0], boxes[arrow.start])
        assert touches(arrow.points[-1], boxes[arrow.end])
    steps = {step for path in drawn(paths) for step in pairwise(path.nodes)}
    assert {(arrow.start, arrow.end) for arrow in made.arrows} <= steps
    assert {start for start, _ in steps} == {arrow.start for arrow in made.arrows}


def test_no_picture_fills_a_sheet():
    made = [picture(active_paths(knowledge(), one), PATH_PEN, PAPER, "across") for one in SETS]
    assert max(one.height for one in made if one) < TALLEST


def test_the_same_paths_give_the_same_picture():
    one, other = (picture(the_severe_paths(), SVG_PEN, SVG_WIDTH) for _ in range(2))
    assert one == other
    assert svg(one) == svg(other)


def test_endings_of_one_cause_share_a_box():
    made = picture(the_severe_paths(), SVG_PEN, SVG_WIDTH)
    (end,) = [box for box in made.boxes if box.kind == "end"]
    assert end.lines == ("Tetany, carpopedal spasm", "Facial twitching")


def test_a_picture_shows_the_way_to_what_was_recorded_and_the_rest_is_told():
    paths = the_severe_paths()
    assert {path.nodes[-1] for path in drawn(paths)} == {"tetany", "facial-twitching"}
    assert "muscle cramps" in not_drawn(paths)
    assert "tetany" not in not_drawn(paths)


def test_where_nothing_recorded_is_reached_all_paths_are_drawn():
    paths = [a_path("low potassium > cramps"), a_path("low phosphate > weakness")]
    assert drawn(paths) == tuple(paths)
    assert not not_drawn(paths)


def test_what_opposes_is_drawn_beside_what_was_recorded():
    paths = [
        a_path("low calcium > tetany", recorded=True),
        a_path("low potassium > cramps"),
        a_path("high magnesium > weakness", opposes=True),
    ]
    assert drawn(paths) == (paths[0], paths[2])


def test_a_picture_has_a_limit_and_what_it_leaves_out_is_counted():
    paths = [a_path(f"cause {n} > state {n} > sign {n}") for n in range(20)]
    made = picture(paths, SVG_PEN, SVG_WIDTH)
    assert len(made.boxes) <= MOST
    assert made.left_out == 20 - MOST // 3


def test_there_is_no_picture_without_a_path():
    assert picture((), SVG_PEN, SVG_WIDTH) is None


def test_a_start_that_opposes_says_so_in_its_box_and_in_words():
    paths = [a_path("high potassium > sodium channels are inactivated > weakness", opposes=True)]
    made = picture(paths, SVG_PEN, SVG_WIDTH)
    assert made.boxes[0].lines[-1] == OPPOSES
    assert all(box.opposes for box in made.boxes)
    assert all(arrow.opposes for arrow in made.arrows)
    assert made.alt.endswith("then weakness, which opposes twitching.")
    assert "dashed" in legend(paths)


def test_the_sentence_says_each_step_once():
    told = sentence(
        [
            a_path("low magnesium > PTH falls > low calcium > tetany"),
            a_path("low vitamin D > low calcium > tetany"),
            a_path("low magnesium > PTH falls > low calcium > cramps"),
        ]
    )
    assert told == (
        "Low magnesium, then PTH falls, then low calcium, then tetany; "
        "low vitamin D, then low calcium; low calcium, then cramps."
    )


def test_on_paper_the_chain_from_magnesium_to_the_face_runs_in_one_row():
    made = picture(the_severe_paths(), PATH_PEN, PAPER, "across")
    boxes = {box.id: box for box in made.boxes}
    chain = ["low-magnesium", "pth-falls", "low-calcium", "sodium-channels-open-earlier"]
    row = [boxes[node] for node in (*chain, "nerve-fires-spontaneously", "tetany")]
    assert len({box.middle for box in row}) == 1
    assert all(one.right < other.x for one, other in pairwise(row))


def test_on_a_page_every_cause_stands_above_its_effects():
    made = picture(the_severe_paths(), SVG_PEN, SVG_WIDTH)
    boxes = {box.id: box for box in made.boxes}
    assert all(boxes[one.start].y < boxes[one.end].y for one in made.arrows)


def test_a_picture_too_wide_for_its_paper_goes_down_instead():
    paths = [a_path(" > ".join(f"a state with a long name {n}" for n in range(9)))]
    made = picture(paths, PATH_PEN, 150, "across")
    assert len({box.x for box in made.boxes}) == 1


def test_the_svg_is_an_image_named_by_its_title_and_told_by_its_description():
    made = picture(the_severe_paths(), SVG_PEN, SVG_WIDTH)
    root = ET.fromstring(svg(made, "p1"))  # noqa: S314 - it is ours
    assert root.get("role") == "img"
    title, desc = root.get("aria-labelledby").split()
    named = {child.get("id"): child.text for child in root}
    assert named[title]
    assert named[desc] == made.alt
    assert made.alt.count(".") == 1
    assert not [one for one in root.iter() if one.get("style") or one.tag == "script"]


def test_labels_are_escaped_in_the_svg():
    made = picture([a_path("a < b & c > <script>")], SVG_PEN, SVG_WIDTH)
    assert "<script>" not in svg(made)


def test_type_is_at_least_eleven_pixels_where_the_page_is_narrowest():
    assert SVG_PEN.size * 288 / SVG_WIDTH >= 11
