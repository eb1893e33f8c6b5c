/** What the keys and buttons of the viewer do, by the names of the table of keys. */

import { declined } from "../announce.js";
import { askText } from "../dialog.js";
import { sizeText } from "../panels/readings.js";
import { emptyDraft, withStatement } from "../reading/drafts.js";
import { t } from "../texts.js";
import { SHOWN, TOOLS } from "./toolbar.js";

/** @typedef {import("../reading/desk.js").Desk} Desk */
/** @typedef {import("../canvas/pane.js").Pane} Pane */

const FINE = 0.25;
const CURSOR = 8;
const ZOOM = 1.25;
const GREY = 12;
/** @type {Record<string, [number, number]>} down and right */
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * @param {Desk} desk
 * @param {import("./stage.js").Stage} stage
 * @returns {{looks: Record<string, (event?: any) => any>, edits: Record<string, (event?: any) => any>}} an action's false
 *   leaves a key to others; `edits` change what is drawn, or what is in hand
 */
export function actionsOf(desk, stage) {
  return {
    looks: { ...viewActions(desk, stage), ...frameActions(desk) },
    edits: { ...toolActions(desk), ...stepActions(desk), ...sayActions(desk), ...lesionActions(desk), ...moveActions(desk) },
  };
}

/** @param {Desk} desk */
function toolActions(desk) {
  const isAllowed = (/** @type {string} */ tool) => (tool !== "ask" || desk.session.network !== null) && (!desk.locked || tool === "select" || tool === "ruler");
  return {
    ...Object.fromEntries(TOOLS.map((tool) => [tool, () => isAllowed(tool) && desk.take(tool)])),
    from_caliper: () => desk.pane !== null && !desk.locked && void desk.tools.ask.fromCaliper(desk.pane),
    smaller: () => desk.tools.tool.resize?.(-1),
    larger: () => desk.tools.tool.resize?.(1),
  };
}

/** @param {Desk} desk @param {import("./stage.js").Stage} stage */
function viewActions(desk, stage) {
  const flip = (/** @type {typeof SHOWN[number]} */ what) => () => {
    desk.show[what] = !desk.show[what];
    stage.shownChanged();
    desk.tell("change");
  };
  const onPane = (/** @type {(pane: Pane) => void} */ run) => () => desk.pane !== null && void run(desk.pane);
  return {
    ...Object.fromEntries(SHOWN.map((what) => [what, flip(what)])),
    fit: onPane((pane) => pane.fit()),
    reset: () => desk.panes.forEach((pane) => pane.reset()),
    zoom_in: onPane((pane) => pane.zoom(ZOOM)),
    zoom_out: onPane((pane) => pane.zoom(1 / ZOOM)),
    brighter: onPane((pane) => pane.adjust(GREY, 0)),
    darker: onPane((pane) => pane.adjust(-GREY, 0)),
    more_contrast: onPane((pane) => pane.adjust(0, GREY)),
    less_contrast: onPane((pane) => pane.adjust(0, -GREY)),
    layout: () => stage.nextLayout(),
    next_pane: () => stage.nextPane(),
  };
}

/** @param {Desk} desk */
function frameActions(desk) {
  const onPane = (/** @type {(pane: Pane) => void} */ run) => () => desk.pane !== null && void run(desk.pane);
  return {
    next_frame: onPane((pane) => pane.step(1)),
    previous_frame: onPane((pane) => pane.step(-1)),
    next_image: onPane((pane) => pane.turn(1)),
    previous_image: onPane((pane) => pane.turn(-1)),
    play: onPane((pane) => pane.bar.cine.toggle()),
  };
}

/** @param {Desk} desk */
function stepActions(desk) {
  const back = (/** @type {"undo" | "redo"} */ way) => () => {
    if (desk.locked) return false;
    // What is half drawn is the last step.
    if (desk.tools.leave()) return undefined;
    const draft = desk.book[way]();
    if (draft !== null) desk.goTo(draft);
    return undefined;
  };
  const escape = () => {
    const was = desk.tools.cancel() || desk.tools.ask.clear() || desk.offered.discard() || desk.tools.ruler.clear() || letGo(desk);
    desk.tell("change");
    return was;
  };
  return {
    undo: back("undo"),
    redo: back("redo"),
    accept: () => desk.tools.finish() || desk.offered.accept() || press(desk),
    earlier: () => desk.offered.takeEarlier(),
    escape,
    remove: () => desk.tools.back() || removeHere(desk),
  };
}

/** @param {Desk} desk */
function letGo(desk) {
  const was = desk.end !== null;
  desk.end = null;
  desk.tell("change");
  return was;
}

/** Press where the cross of the keys is; false where there is none. @param {Desk} desk */
function press(desk) {
  const { pane } = desk;
  if (pane === null || !pane.byKeys || pane.pointer === null) return false;
  desk.tools.press(pane, pane.pointer);
  return true;
}

/** @param {Desk} desk */
function removeHere(desk) {
  if (desk.locked || desk.pane === null) return false;
  if (desk.offered.discard()) return true;
  const { image, frame } = desk.pane.place;
  return desk.remove({ image: image.id, frame, lesion: desk.lesion });
}

/** @param {Desk} desk */
function sayActions(desk) {
  const say = (/** @type {import("../reading/types.js").Kind} */ kind, /** @type {boolean} */ needed) => async () => {
    const { pane, lesion } = desk;
    if (pane === null || desk.locked) return;
    if (pane.isComing) return declined(t("viewer.coming"));
    desk.tools.leave();
    const begun = desk.begun(pane);
    const title = t(`viewer.say.${kind}.title`, { lesion, visit: pane.visit.label });
    const here = desk.draftOn(pane);
    const isDrawn = here !== null && (here.long !== null || here.contour !== null);
    const size = isDrawn ? sizeText({ draft: here, measured: desk.measuredOf(here) ?? {} }) : "";
    const hint = [t(`viewer.say.${kind}.hint`), isDrawn && t("viewer.say.replaces", { size })].filter(Boolean).join(" ");
    const reason = await askText({ title, label: t("viewer.say.reason"), action: t(`viewer.say.${kind}`), hint, needed });
    if (reason !== undefined) desk.keep(withStatement(begun, kind, reason));
  };
  return { resolved: say("resolved", false), not_found: say("not_found", true), not_assessable: say("not_assessable", true), comment: () => void comment(desk) };
}

/** A comment on what is drawn or said here. @param {Desk} desk */
async function comment(desk) {
  const { pane } = desk;
  if (pane === null || desk.locked) return;
  desk.tools.leave();
  const draft = desk.draftOn(pane);
  if (draft === null) {
    declined(t("viewer.comment.first"));
    return;
  }
  const title = t("viewer.comment.title", { lesion: desk.lesion, visit: pane.visit.label });
  const text = await askText({ title, label: t("viewer.comment"), action: t("viewer.comment.keep"), needed: draft.comment === "", said: draft.comment });
  if (text !== undefined) desk.keep({ ...draft, comment: text });
}

/** @param {Desk} desk */
function lesionActions(desk) {
  const byNumber = (/** @type {KeyboardEvent | undefined} */ event) => {
    const lesion = desk.lesions[Number(event?.key) - 1];
    if (lesion === undefined) return false;
    desk.choose(lesion);
    return undefined;
  };
  return { lesion: byNumber, new: () => !desk.locked && desk.choose(desk.freeName) };
}

/** @param {Desk} desk */
function moveActions(desk) {
  const move = (/** @type {KeyboardEvent} */ event) => {
    const { pane } = desk;
    if (pane === null || event.target instanceof HTMLInputElement) return false;
    const [down, right] = ARROWS[event.key];
    const step = event.shiftKey ? 1 : FINE;
    if (!desk.nudge.move([down * step, right * step])) moveCross(desk, pane, event.shiftKey ? 1 : pane.pixels(CURSOR), [down, right]);
    return undefined;
  };
  return { move, move_far: move, next_end: () => desk.nudge.next(1), previous_end: () => desk.nudge.next(-1) };
}

/**
 * Move the cross with which keys draw.
 * @param {Desk} desk
 * @param {Pane} pane
 * @param {number} by pixels of the frame
 * @param {[number, number]} way down and right
 */
function moveCross(desk, pane, by, [down, right]) {
  const [row, column] = pane.pointer ?? pane.middle;
  pane.byKeys = true;
  pane.pointer = [row + down * by, column + right * by];
  desk.tools.hover(pane, pane.pointer, { shiftKey: false, altKey: false });
  pane.redraw();
}
