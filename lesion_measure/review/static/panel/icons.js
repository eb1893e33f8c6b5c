/** Small pictures of the buttons, drawn with lines of the text's colour. */

import { s } from "../dom.js";

/** @type {Record<string, string>} paths in a square of 24 */
const PATHS = {
  select: "M6 3l12 9-5.2 1.2L16 20l-2.6 1.2-3.1-6.7L6 18z",
  ask: "M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M18.4 5.6l-2.1 2.1M7.7 16.3l-2.1 2.1M12 9.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5",
  caliper: "M5 19L19 5M3 17l4 4M17 3l4 4",
  axes: "M4 20L20 4M8.5 8.5l7 7M2.5 18.5l3 3M18.5 2.5l3 3M7 10l3-3M14 17l3-3",
  outline: "M5 9l5-5 8 3 1 8-6 5-8-3zM5 9h.01M10 4h.01M18 7h.01M19 15h.01M13 20h.01M5 17h.01",
  brush: "M20 4c-4 2-8 6-10 9l2 2c3-2 7-6 9-10zM9 14c-3 0-4 2-4 4 0 1-1 2-2 2 3 1 8 1 8-3z",
  erase: "M4 15l9-9 7 7-7 7H8zM9 10l7 7M8 20h12",
  ruler: "M3 16L16 3l5 5L8 21zM7 12l2 2M10 9l3 3M13 6l2 2",
  undo: "M4 9h10a5 5 0 0 1 0 10h-4M4 9l4-4M4 9l4 4",
  redo: "M20 9H10a5 5 0 0 0 0 10h4M20 9l-4-4M20 9l-4 4",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  overlays: "M2 12c4-7 16-7 20 0-4 7-16 7-20 0zM12 9a3 3 0 1 0 0 6a3 3 0 1 0 0-6",
  area: "M12 4L4 18c5 3 11 3 16 0z",
  position: "M12 3v18M3 12h18M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8",
  ghost: "M6 20V10a6 6 0 0 1 12 0v10l-3-2-3 2-3-2zM10 11h.01M14 11h.01",
  layout: "M4 5h16v14H4zM12 5v14",
  reset: "M5 12a7 7 0 1 0 2-5M5 4v4h4",
  plus: "M12 5v14M5 12h14",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  comment: "M4 5h16v11H9l-5 4z",
};

/** @param {string} name @returns {SVGElement} */
export function icon(name) {
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, s("path", { d: PATHS[name] }));
}
