/** A lesion carried by its label, from a pane or the list, onto another pane: it is the same lesion there. */

import { declined } from "../announce.js";
import { h } from "../dom.js";
import { t } from "../texts.js";
import { isOn } from "./grips.js";
import { canDrawOn } from "./drawable.js";

/** @typedef {import("../reading/desk.js").Desk} Desk */
/** @typedef {import("../canvas/pane.js").Pane} Pane */

const BEGIN = 5;

/**
 * Follow the pointer until it lets go; a press without a move chooses the lesion.
 * @param {Desk} desk
 * @param {string} lesion
 * @param {PointerEvent} event
 * @returns {true}
 */
export function carry(desk, lesion, event) {
  desk.choose(lesion);
  if (event.clientX === undefined) return true;
  const chip = h("div", { class: "carried" }, desk.numberOf(lesion));
  chip.style.backgroundColor = desk.colorOf(lesion);
  const ends = new AbortController();
  const from = [event.clientX, event.clientY];
  const move = (/** @type {PointerEvent} */ now) => {
    if (Math.hypot(now.clientX - from[0], now.clientY - from[1]) < BEGIN && !chip.isConnected) return;
    document.body.append(chip);
    chip.style.transform = `translate(${now.clientX}px, ${now.clientY}px)`;
    for (const pane of desk.panes) pane.element.classList.toggle("target", isOver(pane, now));
  };
  const end = (/** @type {PointerEvent} */ now) => {
    ends.abort();
    chip.remove();
    for (const pane of desk.panes) pane.element.classList.remove("target");
    const pane = desk.panes.find((each) => isOver(each, now));
    if (pane && now.type === "pointerup" && Math.hypot(now.clientX - from[0], now.clientY - from[1]) >= BEGIN) drop(desk, pane, lesion, now);
  };
  document.addEventListener("pointermove", move, { signal: ends.signal });
  document.addEventListener("pointerup", end, { signal: ends.signal });
  document.addEventListener("pointercancel", end, { signal: ends.signal });
  return true;
}

/**
 * A drawing of another lesion under the pointer becomes this one's; else the network is asked for it there.
 * @param {Desk} desk
 * @param {Pane} pane
 * @param {string} lesion
 * @param {PointerEvent} event
 */
function drop(desk, pane, lesion, event) {
  if (desk.locked) return declined(t("viewer.locked"));
  if (!canDrawOn(pane)) return;
  pane.overlay.focus({ preventScroll: true });
  const point = pane.pointOf(event);
  const { image, frame } = pane.place;
  const found = desk.book.entries.find(({ draft }) => draft?.image === image.id && draft.frame === frame && isOn(pane, draft, point));
  if (found?.draft && found.draft.lesion !== lesion && !desk.draftOn(pane)) desk.book.change(found, { ...found.draft, lesion });
  else if (!found && desk.session.network !== null) desk.tools.ask.request(pane, { click: point });
  else if (!found) desk.take("axes");
}

/** @param {Pane} pane @param {PointerEvent} event */
function isOver(pane, { clientX, clientY }) {
  const { left, top, right, bottom } = pane.overlay.getBoundingClientRect();
  return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
}
