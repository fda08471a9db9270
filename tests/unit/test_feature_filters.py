"""Which features a box and a time choose, and what is refused."""

import pytest
from msgspec import UNSET

from seal_tracker.web.errors import BadParameter
from seal_tracker.web.feature_filters import box_of, matches, span_of


def feature(lon: float, **properties: str) -> dict[str, object]:
    return {
        "type": "Feature",
        "id": "A",
        "geometry": {"type": "Point", "coordinates": [lon, 20.0]},
        "properties": properties,
    }


@pytest.mark.parametrize(
    ("box", "lon", "inside"),
    [
        ("105,19,107,21", 106.0, True),
        ("105,19,106,20", 106.0, True),  # its edge belongs to it
        ("105,19,-5,107,21,5", 106.0, True),  # heights are ignored
        ("107,19,108,21", 106.0, False),
        ("170,19,-170,21", -175.0, True),  # across the antimeridian
        ("170,19,-170,21", 0.0, False),
    ],
)
def test_a_box_chooses_what_meets_it(box: str, lon: float, inside: bool) -> None:
    assert matches(feature(lon), box_of(box), None) is inside


@pytest.mark.parametrize("box", ["", "1,2,3", "1,2,3,x", "0,5,1,4", "1,2,3,nan", "1,2,3,4,5"])
def test_a_box_that_is_none_is_refused_by_name(box: str) -> None:
    with pytest.raises(BadParameter) as refused:
        box_of(box)
    assert refused.value.field == "bbox"


@pytest.mark.parametrize(
    ("span", "chosen"),
    [
        ("2026-06-01T00:00:00Z", True),
        ("2026-01-01T00:00:00Z", True),  # it holds from this moment on
        ("2025-06-01T00:00:00Z/2025-07-01T00:00:00Z", False),
        ("../2025-12-31T00:00:00Z", False),
        ("2027-01-02T00:00:00+07:00/..", False),
        ("2025-01-01T00:00:00Z/", True),
    ],
)
def test_a_time_chooses_what_held_then(span: str, chosen: bool) -> None:
    zone = feature(106.0, valid_from="2026-01-01T00:00:00Z", valid_to="2027-01-01T00:00:00Z")
    assert matches(zone, None, span_of(span)) is chosen
    assert matches(feature(106.0), None, span_of(span))  # what has no time held always


@pytest.mark.parametrize(
    "span",
    [
        "",
        "..",
        "today",
        "2026-01-01",
        "2026-13-01T00:00:00Z",
        "a/b/c",
        "2026-02-01T00:00:00Z/2026-01-01T00:00:00Z",
    ],
)
def test_a_time_that_is_none_is_refused_by_name(span: str) -> None:
    with pytest.raises(BadParameter) as refused:
        span_of(span)
    assert refused.value.field == "datetime"


def test_what_is_not_given_chooses_everything() -> None:
    assert (box_of(UNSET), span_of(UNSET)) == (None, None)
    assert matches(feature(106.0), None, None)
