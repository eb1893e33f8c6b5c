"""The page's canvas in a real browser: where it draws, at every zoom and density; contours that the brush changes.

And numbers as the page writes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Route

import lesion_measure.review
from lesion_measure.report import words

STATIC = Path(lesion_measure.review.__file__).parent / "static"
POINT = (7, 11)
"""Row and column of the only white pixel."""
ZOOMS = (2.5, 7.3, 31.7, 64.0)

DRAWN = """async ([zoom, tall, [row, column]]) => {
  const {toPane, toFrame, zoomedAt} = await import("/canvas/coordinates.js");
  const {drawPicture} = await import("/canvas/picture.js");
  const {path} = await import("/canvas/strokes.js");
  const view = zoomedAt({x: 3.37, y: -5.81, scale: 1, tall}, [40, 30], zoom);
  const frame = {rows: 20, columns: 30};
  const ratio = window.devicePixelRatio;
  const black = new ImageData(frame.columns, frame.rows);
  black.data.fill(255);
  const white = 4 * (row * frame.columns + column);
  for (let at = 0; at < black.data.length; at += 4) black.data.fill(at === white ? 255 : 0, at, at + 3);
  const picture = await createImageBitmap(black);
  const [x, y] = toPane(view, [row, column]);
  // The canvas shows what lies around the pixel, whole CSS pixels away from the pane's corner.
  const corner = [Math.round(x) - 100, Math.round(y) - 100];
  const centre = (paint) => {
    const canvas = new OffscreenCanvas(200 * ratio, 200 * ratio);
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.scale(ratio, ratio);
    context.translate(-corner[0], -corner[1]);
    paint(context);
    const {data, width, height} = context.getImageData(0, 0, canvas.width, canvas.height);
    let [sum, across, down] = [0, 0, 0];
    for (let j = 0; j < height; j += 1) for (let i = 0; i < width; i += 1) {
      const white = data[4 * (j * width + i)] * data[4 * (j * width + i) + 3];
      sum += white; across += white * (i + 0.5); down += white * (j + 0.5);
    }
    return toFrame(view, [across / sum / ratio + corner[0], down / sum / ratio + corner[1]]);
  };
  // Aslant, so that the rounding of single screen pixels evens out.
  const arm = 88 / view.scale;
  const ends = [[row - arm / tall, column - 0.8 * arm], [row + arm / tall, column + 0.8 * arm]];
  return {
    scale: view.scale, ratio, back: toFrame(view, [x, y]),
    picture: centre((context) => drawPicture(context, picture, view, frame)),
    line: centre((context) => path(context, view, ends, {color: "#ffffff"})),
  };
}"""


@pytest.fixture(scope="module", params=[1, 1.5, 2, 3], ids=lambda ratio: f"{ratio}x")
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """An empty page that has the modules of the reading room, and no server."""
    context = chromium.new_context(device_scale_factor=request.param)
    blank = context.new_page()
    blank.route("**/*", serve)
    blank.goto("http://page.test/")
    yield blank
    context.close()


def serve(route: Route) -> None:
    path = urlsplit(route.request.url).path
    if path == "/":
        route.fulfill(content_type="text/html", body="<!doctype html>")
    else:
        route.fulfill(content_type="text/javascript", body=(STATIC / path[1:]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("tall", [1.0, 1.37], ids=["square", "tall"])
@pytest.mark.parametrize("zoom", ZOOMS)
def test_lines_and_pixels_lie_where_the_frame_has_them(page: Page, zoom: float, tall: float) -> None:
    found = page.evaluate(DRAWN, [zoom, tall, POINT])
    screen = 1 / (found["scale"] * found["ratio"])  # one pixel of the screen, in pixels of the frame
    assert off(found["back"]) < 1e-9
    # the browser itself draws lines to a fifth of a screen pixel: at the larger zooms, to 0.007 of the frame's
    assert off(found["line"]) < 0.2 * screen
    # an enlarged pixel begins and ends with a screen pixel, so its middle is known to half of one
    assert off(found["picture"]) < 0.55 * screen


def off(found: list[float]) -> float:
    """How far from the white pixel's centre something was drawn, in pixels of the frame."""
    return max(abs(drawn - true) for drawn, true in zip(found, POINT, strict=True))


SCALE = """async (regions) => {
  const {oneScale} = await import("/canvas/scale_bar.js");
  return oneScale({spacing_mm: regions[0], regions: regions.map((spacing_mm) => ({spacing_mm}))});
}"""


@pytest.mark.parametrize(
    ("scales", "shown"),
    [
        ([[0.2, 0.2]], [0.2, 0.2]),
        ([[0.2, 0.2], None, [0.2, 0.2]], [0.2, 0.2]),  # a bar without a scale, and a colour box
        ([[0.2, 0.2], [0.3, 0.3]], None),  # two pictures of different depths
        ([None], None),
    ],
)
def test_a_scale_bar_is_there_where_the_whole_image_has_one_scale(
    page: Page, scales: list[list[float] | None], shown: list[float] | None
) -> None:
    assert page.evaluate(SCALE, scales) == shown


NUMBERS = """async (values) => {
  const {fixed, percent, volumeDigits} = await import("/format.js");
  return values.map((value) => [percent(value, [-30, 20]), fixed(value), volumeDigits(value)]);
}"""


def test_numbers_stand_as_in_the_report_and_on_their_side_of_the_rules_limits(page: Page) -> None:
    """-29.97 % is no response at -30 %. Halves go to the even digit, and what is not 0 does not stand as 0."""
    known = {-29.97: "−29.97 %", -30.0: "−30.0 %", 24.25: "+24.2 %", 24.75: "+24.8 %", -0.04: "−0.04 %", 0.0: "0.0 %"}
    assert [percent for percent, *_ in page.evaluate(NUMBERS, list(known))] == list(known.values())
    values = [
        *np.random.default_rng(1).uniform(-100, 60, 300),
        *np.arange(-40, 40, 0.125),
        *(-30 + 10.0**-n for n in range(1, 12)),
    ]
    values += [0.012, 0.0004, 9.99, 99.95, 1e-12]
    wanted = [[words.percent(v, [-30, 20]), words.fixed(v, 1), words.decimals(v, "mL")] for v in values]
    assert page.evaluate(NUMBERS, [float(value) for value in values]) == wanted


GHOSTS = """async () => {
  const {placeGhosts} = await import("/reading/ghosts.js");
  const pane = (id) => ({ visit: { id }, place: { image: { plane: "sagittal" } }, redraw: () => {} });
  const drawn = (image) => ({ image, frame: 1, long: [[1, 2], [3, 4]], plane: "sagittal" });
  const drafts = { first: drawn("first"), second: drawn("second") };
  const desk = {
    data: { visits: [{ id: "first" }, { id: "second" }] }, panes: [pane("first"), pane("second")], lesion: "L1",
    entriesOf: (lesion, visit) => [{ draft: drafts[visit] }],
    imageOf: () => ({ spacing_mm: null }), visitOf: (image) => ({ label: image }), measuredOf: () => null,
    frames: { get: async () => null }, numberOf: () => "1", colorOf: () => "",
  };
  await placeGhosts(desk);
  return desk.panes.map(({ ghost }) => ghost.lines[0]);
}"""


def test_a_drawing_of_the_other_visit_is_shown_beside_also_when_the_case_was_loaded_anew(page: Page) -> None:
    """Then a pane's visit is another object than the case's, and the same by its id."""
    assert page.evaluate(GHOSTS) == ["second", "first"]


BRUSHED = """async ([contour, strokes]) => {
  const {Raster, untangled} = await import("/tools/raster.js");
  if (strokes.length === 0) return untangled(contour);
  const corner = ([row, column], by) => [row + by, column + by];
  const room = strokes.flatMap(([at, radius]) => [corner(at, -radius), corner(at, radius)]);
  const raster = new Raster(contour, room);
  for (const [at, radius, erase] of strokes) raster.brush(at, at, radius, erase);
  return raster.contour();
}"""

CENTRE, RADIUS = (60.3, 71.8), 40.0
"""A circle in pixels of the frame."""


def circle() -> list[list[float]]:
    angles = [2 * math.pi * step / 180 for step in range(180)]
    return [[CENTRE[0] + RADIUS * math.sin(a), CENTRE[1] + RADIUS * math.cos(a)] for a in angles]


def area(contour: NDArray[np.float64]) -> float:
    """Area within a closed contour that does not cross itself."""
    ahead = np.roll(contour, -1, axis=0)
    return abs(float(np.sum(contour[:, 1] * ahead[:, 0] - ahead[:, 1] * contour[:, 0]))) / 2


def lens(radius: float, apart: float) -> float:
    """Area that a disc has in common with the circle, their middles so far apart."""
    to_chord = (apart**2 + RADIUS**2 - radius**2) / (2 * apart)
    parts = [(RADIUS, to_chord), (radius, apart - to_chord)]
    return sum(r * r * math.acos(d / r) - d * math.sqrt(r * r - d * d) for r, d in parts)


@pytest.mark.parametrize(("erase", "gain"), [(False, math.pi * 15**2 - lens(15, RADIUS)), (True, -lens(15, RADIUS))])
def test_the_brush_adds_or_erases_its_disc_and_leaves_the_rest(page: Page, erase: bool, gain: float) -> None:
    at = [CENTRE[0], CENTRE[1] + RADIUS]
    found = np.array(page.evaluate(BRUSHED, [circle(), [[at, 15, erase]]]))
    assert area(found) == pytest.approx(math.pi * RADIUS**2 + gain, rel=0.003)
    far = found[found[:, 1] < CENTRE[1]]
    assert len(far) > 20
    assert np.abs(np.hypot(*(far - CENTRE).T) - RADIUS).max() < 0.08


def crosses(contour: NDArray[np.float64]) -> bool:
    """Whether two edges of a closed contour cross."""
    start, end = contour, np.roll(contour, -1, axis=0)

    def side(point: NDArray[np.float64]) -> NDArray[np.float64]:
        """On which side of each edge (rows) each point (columns) lies."""
        along, to = (end - start)[:, None], point[None] - start[:, None]
        return np.sign(along[..., 1] * to[..., 0] - along[..., 0] * to[..., 1])

    apart = side(start) * side(end) < 0
    return bool((apart & apart.T).any())


def test_overlapping_ends_of_a_line_are_taken_out_and_a_bow_tie_stays_as_it_was_drawn(page: Page) -> None:
    angles = [2 * math.pi * step / 176 for step in range(180)]
    spiral = [
        [CENTRE[0] + (RADIUS - a / 6) * math.sin(a), CENTRE[1] + (RADIUS - a / 6) * math.cos(a)] for a in angles[:-1]
    ] + [[CENTRE[0] + 8, CENTRE[1] + RADIUS + 2]]
    assert crosses(np.array(spiral))
    found = np.array(page.evaluate(BRUSHED, [spiral, []]))
    assert not crosses(found)
    assert area(found) == pytest.approx(area(np.array(spiral)), rel=0.02)
    bow_tie = [[10, 10], [40, 60], [40, 20], [12, 60]]
    assert crosses(np.array(bow_tie, float))
    assert page.evaluate(BRUSHED, [bow_tie, []]) == bow_tie
