/** Readings drawn over the frames that they were made on: one picture a frame. */

import { frameUrl } from "../api.js";
import { h, s } from "../dom.js";
import { readerName } from "../names.js";
import { t } from "../texts.js";
import { frameText, imageOf } from "./readings.js";

/** Room around the drawings, as a share of their size, and at least so many pixels. */
const ROOM = 0.45;
const LEAST_ROOM = 40;
/** Width over height of a picture. */
const ASPECT = 4 / 3;

const pointsText = (points) => points.map(([row, column]) => `${column},${row}`).join(" ");

function linesOf({ draft, measured }) {
  const outline = measured.outline ?? draft.contour;
  const axes = [measured.long ?? draft.long, measured.short ?? draft.short].filter(Boolean);
  return { outline, axes, points: [...(outline ?? []), ...axes.flat()] };
}

function drawing(reading, name) {
  const { outline, axes } = linesOf(reading);
  const each = (kind) => [
    outline && s("polygon", { class: kind, points: pointsText(outline) }),
    axes.map((axis) => s("polyline", { class: kind, points: pointsText(axis) })),
  ];
  return s("g", { class: name }, each("halo"), each("line"));
}

/** What is shown of a frame: top left corner, width and height in pixels around all points. */
function part(points, image) {
  const spread = (values) => [Math.min(...values), Math.max(...values)];
  const [top, bottom] = spread(points.map(([row]) => row));
  const [left, right] = spread(points.map(([, column]) => column));
  const room = Math.max(LEAST_ROOM, ROOM * Math.max(bottom - top, right - left));
  const height = Math.min(image.rows, Math.max(bottom - top + 2 * room, (right - left + 2 * room) / ASPECT));
  const width = height * ASPECT;
  return [(left + right - width) / 2, (top + bottom - height) / 2, width, height];
}

function picture(data, readings) {
  const { image: id, frame } = readings[0].reading.draft;
  const image = imageOf(data, id);
  const points = readings.flatMap(({ reading }) => linesOf(reading).points);
  if (!image || points.length === 0) return null;
  const names = readings.map(({ reading }) => readerName(reading.reader)).join(", ");
  // a frame's first pixel has its centre at 0, so the picture begins half a pixel before
  return h("figure", {}, s("svg", { viewBox: part(points, image).join(" "), role: "img", "aria-label": t("adjudicate.picture", { names }) },
    s("image", { href: frameUrl(id, frame), x: -0.5, y: -0.5, width: image.columns, height: image.rows, preserveAspectRatio: "none" }),
    readings.map(({ reading, name }) => drawing(reading, name))),
  h("figcaption", { class: "quiet small" }, [image.label, frameText(image, frame)].filter(Boolean).join(" · ")));
}

/** Pictures of a question's readings; those of one frame share one. @param {Case} data @param {Question} question */
export function overlays(data, { given, decided }) {
  const shown = given.map((reading, place) => ({ reading, name: `reading-${place}` }));
  if (decided) shown.push({ reading: decided, name: "reading-own" });
  const frames = new Map();
  for (const each of shown) {
    const key = `${each.reading.draft.image} ${each.reading.draft.frame}`;
    frames.set(key, [...(frames.get(key) ?? []), each]);
  }
  return h("div", { class: "overlays" }, [...frames.values()].map((readings) => picture(data, readings)));
}
