"""The drawings of our pages on paper, as vectors: plots of matplotlib, interval strips, outlines and axes.

Only what these drawings use of SVG 1.1 is known: groups, paths, lines, circles, rectangles, texts, ``use``, clip paths,
hatch patterns and affine transforms. Every point is carried to the page by one matrix, so a stroke is as wide on a
stretched picture as elsewhere where it says ``non-scaling-stroke``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from lesion_measure.errors import InputError
from lesion_measure.report.pdf import fonts
from lesion_measure.report.pdf.tree import Node

Matrix = tuple[float, float, float, float, float, float]
"""``a b c d e f``: x' = a x + c y + e, y' = b x + d y + f."""
Style = Mapping[str, str]
Segment = tuple[str, list[tuple[float, float]]]

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
MAX_TILES = 2500
PICTURE_STROKE = 0.55
"""Width of a stroke on a picture in points, for one of the screen's pixels."""
INHERITED = (
    "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "font", "font-size",
    "font-weight", "text-anchor", "stroke-linecap", "stroke-linejoin", "vector-effect", "paint-order",
)  # fmt: skip

_FINE = {"fill": "none", "vector-effect": "non-scaling-stroke", "stroke-linecap": "round", "stroke-linejoin": "round"}
_ACROSS = {"stroke-dasharray": "6 3.5", "stroke-linecap": "butt"}
LOOKS: dict[str, Style] = {
    "halo": _FINE | {"stroke": "#000000", "stroke-opacity": "0.55", "stroke-width": "3.6"},
    "outline": _FINE | {"stroke": "#56b4e9", "stroke-width": "1.6"},
    "long": _FINE | {"stroke": "#f0e442", "stroke-width": "1.8"},
    "short": _FINE | _ACROSS | {"stroke": "#e69f00", "stroke-width": "1.8"},
    "width": _FINE | _ACROSS | {"stroke": "#56b4e9", "stroke-width": "1.8"},
    "cutline": _FINE | {"stroke": "#ffffff", "stroke-opacity": "0.75", "stroke-dasharray": "5 4", "stroke-width": "1"},
    "bar": {"fill": "#ffffff", "stroke": "#ffffff", "stroke-width": "3", "text-anchor": "middle", "font-weight": "600"},
    "ticks": {"fill": "#e6e9ec", "stroke": "#ffffff", "stroke-opacity": "0.22", "stroke-width": "1"},
    "under": {"stroke": "#000000", "stroke-opacity": "0.6", "stroke-width": "6"},
    "strip": {"fill": "none", "stroke": "#1b1f24"},
    "axis": {"stroke": "#c3cad1"},
    "limit": {"stroke": "#59626d", "stroke-dasharray": "3 2"},
    "far": {"fill": "#1b1f24"},
}
"""What the pages' style sheet says of the classes in drawings."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TOKEN = re.compile(rf"([MmLlHhVvCcQqZz])|({_NUMBER.pattern})")
_CALL = re.compile(r"(matrix|translate|scale|rotate)\s*\(([^)]*)\)")
_REFERENCE = re.compile(r"(?:url\()?#([^)\s\"']+)\)?")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the page in points, from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float


def size_of(svg: Node) -> tuple[float, float]:
    """Width and height of a drawing in its own units: of its view box, else as stated."""
    _, _, width, height = _view(svg)
    return width, height


def draw_svg(canvas: Canvas, svg: Node, box: Box) -> None:
    """Draw an SVG element so that its view box fills ``box``.

    Raises
    ------
    InputError
        It uses something of SVG that the pages of this version do not.
    """
    left, top, width, height = _view(svg)
    across, down = box.width / width, box.height / height
    matrix = (across, 0.0, 0.0, -down, box.left - left * across, box.bottom + box.height + top * down)
    _Painter(canvas, svg).paint(svg, matrix, {})


def _view(svg: Node) -> tuple[float, float, float, float]:
    numbers = _numbers(svg.attributes.get("viewbox", ""))
    if len(numbers) != 4:
        numbers = [0, 0, *(_number(svg.attributes.get(name, ""), 0) for name in ("width", "height"))]
    if not (numbers[2] > 0 and numbers[3] > 0):
        raise InputError("A drawing of the page has no size.", code="drawing")
    return numbers[0], numbers[1], numbers[2], numbers[3]


class _Painter:
    def __init__(self, canvas: Canvas, svg: Node) -> None:
        self.canvas = canvas
        self.named = {node.attributes["id"]: node for node in svg.walk() if "id" in node.attributes}

    def paint(self, node: Node, matrix: Matrix, inherited: Style, depth: int = 0) -> None:
        """One element and what is in it."""
        if node.tag in ("defs", "clippath", "pattern", "title", "style", "metadata") or depth > 30:
            return
        style = _style(node, inherited)
        matrix = _multiply(matrix, transform(node.attributes.get("transform", "")))
        clip = self._referred(node.attributes.get("clip-path", ""))
        self.canvas.saveState()
        if clip is not None:
            self._clip(clip, matrix)
        if node.tag in ("svg", "g"):
            for child in node.elements:
                self.paint(child, matrix, style, depth + 1)
        elif node.tag == "use":
            self._use(node, matrix, style, depth)
        elif node.tag == "text":
            self._text(node, matrix, style)
        else:
            self._shape(node, matrix, style)
        self.canvas.restoreState()

    def _referred(self, reference: str) -> Node | None:
        match = _REFERENCE.fullmatch(reference.strip())
        return self.named.get(match[1]) if match else None

    def _clip(self, clip: Node, matrix: Matrix) -> None:
        for shape in clip.elements:
            self.canvas.clipPath(self._path(segments(shape), matrix), stroke=0, fill=0)

    def _use(self, node: Node, matrix: Matrix, style: Style, depth: int) -> None:
        target = self._referred(node.attributes.get("xlink:href", node.attributes.get("href", "")))
        if target is not None:
            x, y = (_number(node.attributes.get(name, ""), 0.0) for name in ("x", "y"))
            self.paint(target, _multiply(matrix, (1, 0, 0, 1, x, y)), style, depth + 1)

    def _shape(self, node: Node, matrix: Matrix, style: Style) -> None:
        path = segments(node)
        fill = style.get("fill", "#000000")
        pattern = self._referred(fill) if fill.startswith("url") else None
        if pattern is not None:
            self._hatch(pattern, path, matrix)
        filled = node.tag != "line" and self._set_fill(style)
        stroked = self._set_stroke(style, matrix)
        if filled or stroked:
            self.canvas.drawPath(self._path(path, matrix), stroke=int(stroked), fill=int(filled))

    def _hatch(self, pattern: Node, path: list[Segment], matrix: Matrix) -> None:
        points = [point for _, own in path for point in own]
        width, height = (_number(pattern.attributes.get(name, ""), 0.0) for name in ("width", "height"))
        if not points or width <= 0 or height <= 0:
            return
        self.canvas.saveState()
        self.canvas.clipPath(self._path(path, matrix), stroke=0, fill=0)
        columns = range(math.floor(min(x for x, _ in points) / width), math.ceil(max(x for x, _ in points) / width))
        rows = range(math.floor(min(y for _, y in points) / height), math.ceil(max(y for _, y in points) / height))
        if len(columns) * len(rows) <= MAX_TILES:
            for column in columns:
                for row in rows:
                    for child in pattern.elements:
                        self.paint(child, _multiply(matrix, (1, 0, 0, 1, column * width, row * height)), {}, 1)
        self.canvas.restoreState()

    def _path(self, path: list[Segment], matrix: Matrix) -> Any:
        drawn = self.canvas.beginPath()
        for command, points in path:
            at = [_apply(matrix, point) for point in points]
            if command == "M":
                drawn.moveTo(*at[0])
            elif command == "L":
                drawn.lineTo(*at[0])
            elif command == "C":
                drawn.curveTo(*at[0], *at[1], *at[2])
            else:
                drawn.close()
        return drawn

    def _set_fill(self, style: Style) -> bool:
        colour = style.get("fill", "#000000")
        if not colour.startswith("#"):
            return False
        self.canvas.setFillColor(HexColor(colour))
        self.canvas.setFillAlpha(_number(style.get("fill-opacity", ""), 1.0) * _number(style.get("opacity", ""), 1.0))
        return True

    def _set_stroke(self, style: Style, matrix: Matrix) -> bool:
        colour = style.get("stroke", "none")
        if not colour.startswith("#"):
            return False
        fixed = style.get("vector-effect") == "non-scaling-stroke"
        scale = PICTURE_STROKE if fixed else math.sqrt(abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]))
        self.canvas.setStrokeColor(HexColor(colour))
        self.canvas.setStrokeAlpha(
            _number(style.get("stroke-opacity", ""), 1.0) * _number(style.get("opacity", ""), 1.0)
        )
        self.canvas.setLineWidth(_number(style.get("stroke-width", ""), 1.0) * scale)
        self.canvas.setLineCap({"round": 1, "square": 2}.get(style.get("stroke-linecap", ""), 0))
        self.canvas.setLineJoin({"round": 1, "bevel": 2}.get(style.get("stroke-linejoin", ""), 0))
        dashes = [number * scale for number in _numbers(style.get("stroke-dasharray", ""))]
        if dashes and max(dashes) > 0:
            self.canvas.setDash(dashes)
        return True

    def _text(self, node: Node, matrix: Matrix, style: Style) -> None:
        words = node.text()
        font = style.get("font", "")
        stated = re.search(r"([\d.]+)px", font)
        size = float(stated[1]) if stated else _number(style.get("font-size", ""), 10.0)
        bold = style.get("font-weight", "") in ("bold", "600", "700") or bool(re.search(r"\b(bold|[67]00)\b", font))
        face = f"{fonts.BODY}-Bold" if bold else fonts.BODY
        at = _number(node.attributes.get("x", ""), 0.0), _number(node.attributes.get("y", ""), 0.0)
        shift = {"middle": -0.5, "end": -1.0}.get(style.get("text-anchor", ""), 0.0) * fonts.width(words, face, size)
        left, bottom = _apply(matrix, at)
        size_on_page = math.hypot(matrix[2], matrix[3])
        angle = math.degrees(math.atan2(matrix[1], matrix[0]))
        self.canvas.saveState()
        self.canvas.translate(left, bottom)
        self.canvas.rotate(angle)
        self.canvas.scale(size_on_page, size_on_page)
        if style.get("stroke", "none") != "none" and "bar" in style.get("class", ""):
            self._write(words, shift, face, size, {"fill": "#000000", "fill-opacity": "0.6"}, spread=size / 12)
        self._write(words, shift, face, size, style)
        self.canvas.restoreState()

    def _write(self, words: str, left: float, face: str, size: float, style: Style, spread: float = 0.0) -> None:
        if not self._set_fill(style):
            return
        around = [(0.0, 0.0)] if not spread else [(spread * x, spread * y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
        for right, up in around:
            at = left + right
            for other, part in fonts.runs(words):
                name = other or face
                self.canvas.setFont(name, size)
                self.canvas.drawString(at, up, part)
                at += fonts.width(part, name, size)


def _style(node: Node, inherited: Style) -> Style:
    own: dict[str, str] = {name: inherited[name] for name in (*INHERITED, "class") if name in inherited}
    names = node.attributes.get("class", "").split()
    for name in names:
        own.update(LOOKS.get(name, {}))
    if "halo" in names:
        own.update(LOOKS["halo"])
        own.pop("stroke-dasharray", None)
    if "bar" in names:
        own["class"] = "bar"
    if node.tag == "circle" and "strip" in inherited.get("class", ""):
        own["fill"] = LOOKS["far"]["fill"]
    if "strip" in names:
        own["class"] = "strip"
    own.update({name: value for name, value in node.attributes.items() if name in (*INHERITED, "opacity")})
    for part in node.attributes.get("style", "").split(";"):
        name, colon, value = part.partition(":")
        if colon:
            own[name.strip()] = value.strip()
    return own


def segments(node: Node) -> list[Segment]:
    """A shape as moves, lines, curves (C, three points) and closings (Z).

    Raises
    ------
    InputError
        The shape or a command of its path is not known.
    """
    known = node.attributes
    if node.tag == "path":
        return list(_path_segments(known.get("d", "")))
    value = {name: _number(text, 0.0) for name, text in known.items() if _NUMBER.fullmatch(text.strip())}
    if node.tag == "line":
        ends = [(value.get(f"x{n}", 0.0), value.get(f"y{n}", 0.0)) for n in (1, 2)]
        return [("M", ends[:1]), ("L", ends[1:])]
    if node.tag == "rect":
        x, y, width, height = (value.get(name, 0.0) for name in ("x", "y", "width", "height"))
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        return [("M", corners[:1]), *(("L", [corner]) for corner in corners[1:]), ("Z", [])]
    if node.tag in ("circle", "ellipse"):
        x, y = value.get("cx", 0.0), value.get("cy", 0.0)
        return list(_ellipse(x, y, value.get("rx", value.get("r", 0.0)), value.get("ry", value.get("r", 0.0))))
    raise InputError(f"The page draws a <{node.tag[:20]}>, which report.pdf cannot.", code="drawing")


def _ellipse(x: float, y: float, across: float, down: float) -> Iterator[Segment]:
    k = 4 * (math.sqrt(2) - 1) / 3  # of a quarter circle by one cubic curve
    yield "M", [(x + across, y)]
    for c, s, c2, s2 in ((1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)):
        first = (x + across * (c + k * c2), y + down * (s + k * s2))
        second = (x + across * (c2 + k * c), y + down * (s2 + k * s))
        yield "C", [first, second, (x + across * c2, y + down * s2)]
    yield "Z", []


def _path_segments(data: str) -> Iterator[Segment]:
    """Moves, lines and curves of SVG path data (SVG 1.1, 8.3); quadratic curves as cubic ones."""
    at = start = (0.0, 0.0)
    for command, numbers in _commands(data):
        kind, relative = command.upper(), command.islower()
        if kind == "Z":
            at = start
            yield "Z", []
            continue
        base = at if relative else (0.0, 0.0)
        if kind == "H":
            points = [(base[0] + numbers[0], at[1])]
        elif kind == "V":
            points = [(at[0], base[1] + numbers[0])]
        else:
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            points = [(base[0] + x, base[1] + y) for x, y in pairs]
        if kind == "Q":
            (cx, cy), end = points
            points = [
                (at[0] + 2 / 3 * (cx - at[0]), at[1] + 2 / 3 * (cy - at[1])),
                (end[0] + 2 / 3 * (cx - end[0]), end[1] + 2 / 3 * (cy - end[1])),
                end,
            ]
        at = points[-1]
        if kind == "M":
            start = at
        yield {"M": "M", "C": "C", "Q": "C"}.get(kind, "L"), points


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    if _TOKEN.sub("", data).strip(" ,\n\t\r"):
        raise InputError("A path of the page cannot be read.", code="drawing")
    command = ""
    numbers: list[float] = []
    for letter, number in _TOKEN.findall(data):
        if letter:
            command, numbers = letter, []
            if letter in "Zz":
                yield letter, []
            continue
        numbers.append(float(number))
        if command and command not in "Zz" and len(numbers) == _TAKES[command.upper()]:
            yield command, numbers
            numbers = []
            command = {"M": "L", "m": "l"}.get(command, command)


def transform(text: str) -> Matrix:
    """The matrix of an SVG transform attribute."""
    if _CALL.sub("", text).strip(" ,\n\t"):
        raise InputError("A drawing of the page is placed in a way that is not known.", code="drawing")
    matrix = IDENTITY
    for name, inner in _CALL.findall(text):
        numbers = _numbers(inner)
        if name == "matrix" and len(numbers) == 6:
            step: Matrix = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
        elif name == "translate" and numbers:
            step = (1, 0, 0, 1, numbers[0], numbers[1] if len(numbers) > 1 else 0.0)
        elif name == "scale" and numbers:
            step = (numbers[0], 0, 0, numbers[1] if len(numbers) > 1 else numbers[0], 0, 0)
        elif name == "rotate" and len(numbers) in (1, 3):
            step = _rotation(numbers[0], *(numbers[1:] or (0.0, 0.0)))
        else:
            raise InputError("A drawing of the page is placed in a way that is not known.", code="drawing")
        matrix = _multiply(matrix, step)
    return matrix


def _rotation(degrees: float, x: float, y: float) -> Matrix:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return c, s, -s, c, x - c * x + s * y, y - s * x - c * y


def _multiply(m: Matrix, n: Matrix) -> Matrix:
    """First ``n``, then ``m``."""
    return (
        m[0] * n[0] + m[2] * n[1],
        m[1] * n[0] + m[3] * n[1],
        m[0] * n[2] + m[2] * n[3],
        m[1] * n[2] + m[3] * n[3],
        m[0] * n[4] + m[2] * n[5] + m[4],
        m[1] * n[4] + m[3] * n[5] + m[5],
    )


def _apply(m: Matrix, point: tuple[float, float]) -> tuple[float, float]:
    x, y = point
    return m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]


def _numbers(text: str) -> list[float]:
    return [float(number) for number in _NUMBER.findall(text)]


def _number(text: str, otherwise: float) -> float:
    found = _NUMBER.match(text.strip())
    return float(found[0]) if found else otherwise
