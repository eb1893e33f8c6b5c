/**
 * What is open before the reader: the case, the lesion and tool in hand, what is being drawn, and what the server said.
 *
 * Tells `draw` when the panes show something new, and `change` when lists and buttons do as well.
 */

import { declined } from "../announce.js";
import { colorOf, numberOf } from "../canvas/colors.js";
import { crossesItself } from "../canvas/geometry.js";
import { t } from "../texts.js";
import { Nudge } from "../tools/nudge.js";
import { ToolBox } from "../tools/toolbox.js";
import { Book, same } from "./book.js";
import { emptyDraft, within } from "./drafts.js";
import { Live } from "./live.js";
import { Offered } from "./offered.js";
import { Results } from "./results.js";

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./types.js").Measured} Measured */
/** @typedef {import("../canvas/pane.js").Pane} Pane */

const NUMBERED = /^(.*?)(\d+)$/;
const FIRST_LESION = "L1";

export class Desk extends EventTarget {
  /**
   * @param {import("./types.js").Case} data
   * @param {import("./types.js").Session} session
   * @param {{api: any, frames: import("../frames.js").Frames}} services
   */
  constructor(data, session, { api, frames }) {
    super();
    this.data = data;
    this.session = session;
    this.api = api;
    this.frames = frames;
    this.book = new Book(data.id, this._own(data), api);
    this.live = new Live(api.measure, () => this.tell("change"));
    this.results = new Results(() => api.result(data.id), () => this.tell("change"));
    /** @type {Pane[]} in view */
    this.panes = [];
    /** @type {Pane[]} in view now, or before and likely again */
    this.made = [];
    /** @type {Pane | null} */
    this.pane = null;
    this.lesions = lesionsOf(data);
    this.lesion = this.lesions[0];
    this.tool = this.locked ? "select" : session.network === null ? "axes" : "ask";
    this.show = { overlays: true, area: false, position: false, ghost: true };
    /** @type {{draft: Draft, pane: Pane} | null} what the hand is changing */
    this.edit = null;
    this.offered = new Offered(this);
    /** @type {Set<string>} images that were shown */
    this.seen = new Set();
    /** @type {number | null} end in hand, by its place in `endsOf` */
    this.end = null;
    /** Whether the space bar is held, so that the pointer moves the picture. */
    this.panning = false;
    this.tools = new ToolBox(this);
    this.nudge = new Nudge(this);
    this.book.addEventListener("change", () => this.tell("change"));
    this.book.addEventListener("kept", () => this.results.refresh());
  }

  get locked() {
    return this.data.locked;
  }

  /** The visits that have images. */
  get visits() {
    return this.data.visits.filter(({ images }) => images.length > 0);
  }

  /** Pictures that panes hold. @returns {ImageBitmap[]} */
  bitmaps() {
    return this.made.flatMap(({ bitmap, ghost }) => [bitmap, ghost?.bitmap ?? null]).filter((bitmap) => bitmap !== null);
  }

  /** Tell that a pane shows another frame. @param {Pane} pane @param {boolean} isNew whether it is of another image */
  pictureShown(pane, isNew) {
    this.seen.add(pane.place.image.id);
    this.offered.look(pane);
    this.dispatchEvent(new CustomEvent("picture", { detail: { pane, isNew } }));
  }

  /** Show where something is drawn. @param {Draft} draft */
  goTo(draft) {
    const [image, visit] = [this.imageOf(draft.image), this.visitOf(draft.image)];
    if (!image || !visit) return;
    if (draft.lesion !== this.lesion) this.tools.leave();
    if (draft.lesion !== this.lesion && this.lesions.includes(draft.lesion)) this.lesion = draft.lesion;
    this.dispatchEvent(new CustomEvent("visit", { detail: visit }));
    const pane = this.panes.find((each) => each.visit === visit);
    if (!pane) return;
    this.lookAt(pane);
    pane.go(image, draft.frame).then(() => pane.reveal(draft));
    this.tell("change");
  }

  /** @param {"draw" | "change"} what */
  tell(what) {
    this.dispatchEvent(new Event(what));
  }

  /** @param {string} lesion */
  colorOf(lesion) {
    return colorOf(Math.max(0, this.lesions.indexOf(lesion)));
  }

  /** @param {string} lesion */
  numberOf(lesion) {
    return numberOf(Math.max(0, this.lesions.indexOf(lesion)));
  }

  /** The visit that an image belongs to. @param {string} image */
  visitOf(image) {
    return this.data.visits.find((visit) => visit.images.some(({ id }) => id === image));
  }

  /** @param {string} id */
  imageOf(id) {
    return this.data.visits.flatMap((visit) => visit.images).find((image) => image.id === id);
  }

  /** The own draft of the lesion in hand on what a pane shows. @param {Pane} pane @returns {Draft | null} */
  draftOn({ place: { image, frame } }) {
    return this.book.at(image.id, frame, this.lesion)?.draft ?? null;
  }

  /** The own draft at a draft's place. @param {Draft} draft @returns {Draft | null} */
  draftAt({ image, frame, lesion }) {
    return this.book.at(image, frame, lesion)?.draft ?? null;
  }

  /** A draft to draw with there: that of the first press, where something is being drawn. @param {Pane} pane @returns {Draft} */
  begun(pane) {
    return this.tools.began(pane) ?? this.fresh(pane);
  }

  /** A draft to begin with on what a pane shows; a comment made there stays. @param {Pane} pane @returns {Draft} */
  fresh(pane) {
    return { ...emptyDraft(pane.place, this.lesion), comment: this.draftOn(pane)?.comment ?? "" };
  }

  /** Own entries of a lesion at a visit. @param {string} lesion @param {string} visit */
  entriesOf(lesion, visit) {
    return this.book.entries.filter(({ draft }) => draft?.lesion === lesion && this.visitOf(draft.image)?.id === visit);
  }

  /**
   * What a draft measures, where the server has said it of exactly this drawing.
   * @param {Draft} draft
   * @returns {Measured | null}
   */
  measuredOf(draft) {
    const kept = this.book.kept.find((reading) => sameDrawing(reading.draft, draft));
    if (kept !== undefined) return kept.measured;
    const { proposal } = this.offered;
    if (proposal?.measured && sameDrawing(proposal.draft, draft)) return proposal.measured;
    return this.live.of(draft);
  }

  /** @param {string} lesion */
  choose(lesion) {
    if (lesion === this.lesion) this.nudge.settle();
    else this.tools.leave();
    if (!this.lesions.includes(lesion)) this.lesions = [...this.lesions, lesion];
    this.lesion = lesion;
    this.end = null;
    for (const pane of this.panes) pane.follow(lesion);
    this.tell("change");
  }

  /** A name that no lesion has, after the pattern of the others. */
  get freeName() {
    const [, stem, number] = NUMBERED.exec(this.lesions.at(-1) ?? FIRST_LESION) ?? [null, "L", "0"];
    let next = Number(number);
    while (this.lesions.includes(`${stem}${next}`)) next += 1;
    return `${stem}${next}`;
  }

  /** @param {string} tool */
  take(tool) {
    this.tools.leave();
    this.tool = tool;
    this.tell("change");
  }

  /** @param {Pane} pane */
  lookAt(pane) {
    if (this.pane === pane) return;
    this.nudge.settle();
    this.pane = pane;
    this.end = null;
    this.tell("change");
  }

  /**
   * Show a drawing while it is changed, and have it measured.
   * @param {Pane} pane
   * @param {Draft} drawn
   */
  preview(pane, drawn) {
    const draft = within(drawn, pane.place.image);
    this.edit = { pane, draft };
    if (draft.long !== null || draft.contour !== null) this.live.ask(draft);
    this.tell("draw");
  }

  /** Keep a draft in the place of what was said there. @param {Draft} said */
  keep(said) {
    const image = this.imageOf(said.image);
    const draft = image ? within(said, image) : said;
    this.edit = null;
    this.offered.settled(draft);
    if (draft.long !== null || draft.contour !== null) this.live.ask(draft);
    if (draft.contour !== null && crossesItself(draft.contour)) declined(t("viewer.crosses"));
    this.book.put(draft);
  }

  /** Remove what is said of a lesion on a frame; false where nothing is. @param {Pick<Draft, "image" | "frame" | "lesion">} place */
  remove({ image, frame, lesion }) {
    const entry = this.book.at(image, frame, lesion);
    if (entry === undefined || this.locked) return false;
    this.end = null;
    this.book.change(entry, null);
    return true;
  }

  /** @param {import("./types.js").Case} data as the server has it now */
  renew(data) {
    if (data.locked) this.tools.leave();
    this.data = data;
    if (this.locked) this.tool = "select";
    this.book.renew(this._own(data));
    this.lesions = [...new Set([...this.lesions, ...lesionsOf(data)])];
    this.results.refresh();
    this.tell("change");
  }

  /** Go on after the reader has logged in again. */
  resume() {
    this.book.release();
    this.results.refresh();
    for (const pane of this.panes) pane.go(pane.place.image, pane.place.frame);
  }

  close() {
    this.book.hold();
    this.live.close();
    this.results.close();
  }

  /** @param {import("./types.js").Case} data */
  _own({ readings }) {
    return readings.filter(({ reader }) => reader === this.session.reader);
  }
}

/** @param {Draft} a @param {Draft} b */
function sameDrawing(a, b) {
  return (
    a.image === b.image && a.frame === b.frame && same(a.long, b.long) && same(a.short, b.short) && same(a.contour, b.contour)
  );
}

/** @param {import("./types.js").Case} data @returns {string[]} */
function lesionsOf({ lesions, readings, earlier }) {
  const named = [...lesions, ...readings.map(({ draft }) => draft.lesion), ...earlier.map(({ draft }) => draft.lesion)];
  return named.length === 0 ? [FIRST_LESION] : [...new Set(named)];
}
