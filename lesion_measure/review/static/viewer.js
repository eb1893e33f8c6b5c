/**
 * The viewer of a case: panes side by side, tools, and the lesions with their sizes.
 *
 * ::
 *
 *     canvas/    a pane: picture, overlay, pointer, images and frames
 *     tools/     what draws and corrects
 *     reading/   what is drawn, kept and measured; nothing here touches the page
 *     panel/     buttons and lists
 *     frames.js  decoded frames, loaded ahead
 */

import { keeping } from "./announce.js";
import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { Frames } from "./frames.js";
import { bind } from "./keys.js";
import { actionsOf } from "./panel/actions.js";
import { settleConflict } from "./panel/conflict.js";
import { Lesions } from "./panel/lesions.js";
import { Outcome } from "./panel/outcome.js";
import { Stage } from "./panel/stage.js";
import { Toolbar } from "./panel/toolbar.js";
import { Desk } from "./reading/desk.js";
import { placeGhosts } from "./reading/ghosts.js";
import { unfinished } from "./reading/unfinished.js";

/** @type {Set<Desk>} open cases, whose pictures must not be let go */
const open = new Set();
const frames = new Frames(api.frame, { inUse: () => new Set([...open].flatMap((desk) => [...desk.bitmaps()])) });

/**
 * Open a case in an element.
 * @param {HTMLElement} root hears `case-changed` after every write that was kept
 * @param {import("./reading/types.js").Case} data
 * @param {import("./reading/types.js").Session} session
 */
export function openCase(root, data, session) {
  const viewer = new Viewer(root, data, session);
  return {
    book: viewer.desk.book,
    unfinished: () => unfinished(viewer.desk),
    unseen: () => viewer.desk.visits.flatMap(({ label, images }) => images.filter(({ id }) => !viewer.desk.seen.has(id)).map((image) => `${label}, ${image.label}`)),
    settle: () => viewer.desk.nudge.settle(),
    close: () => viewer.close(),
    resume: () => viewer.desk.resume(),
    redraw: (/** @type {import("./reading/types.js").Case} */ now) => viewer.desk.renew(now),
    show: (/** @type {import("./reading/types.js").Draft} */ draft) => viewer.desk.goTo(draft),
  };
}

/**
 * Load the first frames of a case that is likely next.
 * @param {import("./reading/types.js").Case} data
 */
export function prepare({ visits }) {
  frames.later(visits.flatMap(({ images }) => images.slice(0, 1)).map((image) => ({ image: image.id, frame: 1 })));
}

addEventListener("beforeunload", (event) => {
  if ([...open].some(({ book }) => book.unsaved.length > 0)) event.preventDefault();
});

class Viewer {
  /**
   * @param {HTMLElement} root
   * @param {import("./reading/types.js").Case} data
   * @param {import("./reading/types.js").Session} session
   */
  constructor(root, data, session) {
    this.root = root;
    this.desk = new Desk(data, session, { api: writing(api, root), frames });
    open.add(this.desk);
    this.stage = new Stage(this.desk);
    const { looks, edits } = actionsOf(this.desk, this.stage);
    const actions = { ...looks, ...edits };
    this.toolbar = new Toolbar(this.desk, actions);
    this.lesions = new Lesions(this.desk, actions);
    this.outcome = new Outcome(this.desk);
    this.asking = false;
    fill(root, this.toolbar.element, this.stage.element, h("aside", { class: "findings" }, this.lesions.element, this.outcome.element));
    this.ends = new AbortController();
    const unbind = [bind("viewer", looks), bind("viewer", edits, { edits: true })];
    this.unbind = () => unbind.forEach((each) => each());
    this._listen();
    this.desk.results.refresh();
    this.update();
  }

  _listen() {
    const { desk, ends } = this;
    const { signal } = ends;
    desk.addEventListener("draw", () => this.stage.redraw(), { signal });
    desk.addEventListener("change", () => this.later(), { signal });
    desk.addEventListener("picture", (/** @type {any} */ { detail }) => this.stage.pictureShown(detail.pane, detail.isNew), { signal });
    desk.addEventListener("picture", () => this.lesions.pictureShown(), { signal });
    desk.addEventListener("visit", (/** @type {any} */ { detail }) => this.stage.bring(detail), { signal });
    addEventListener("keydown", (event) => this.hold(event, true), { signal });
    addEventListener("keyup", (event) => this.hold(event, false), { signal });
  }

  /** Update all once, however much changed before the next picture of the screen. */
  later() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      this.update();
    });
  }

  update() {
    this.toolbar.update();
    this.lesions.update();
    this.outcome.update();
    this.stage.update();
    placeGhosts(this.desk);
    this.settle();
  }

  /** Ask about readings that somebody changed meanwhile, one at a time. */
  async settle() {
    const entry = this.desk.book.unsaved.find(({ state }) => state === "conflict");
    if (this.asking || entry === undefined) return;
    this.asking = true;
    await settleConflict(this.desk, entry);
    this.asking = false;
    this.later();
  }

  /** While the space bar is held on a pane, the pointer moves the picture. @param {KeyboardEvent} event @param {boolean} isDown */
  hold(event, isDown) {
    if (event.code !== "Space") return;
    this.desk.panning = isDown && event.target instanceof HTMLCanvasElement;
    if (this.desk.panning) event.preventDefault();
  }

  /** What is not kept by now is lost by choice: the reader was asked. */
  close() {
    this.desk.tools.leave();
    if (this.waiting !== undefined) cancelAnimationFrame(this.waiting);
    this.ends.abort();
    this.unbind();
    this.stage.close();
    this.desk.close();
    open.delete(this.desk);
    fill(this.root);
  }
}

/**
 * The questions to the server, with the three that write telling the page that they do.
 * @param {typeof api} asked
 * @param {HTMLElement} root
 */
function writing(asked, root) {
  /** @type {<T>(work: Promise<T>) => Promise<T>} */
  const told = async (work) => {
    const kept = await keeping(work);
    root.dispatchEvent(new Event("case-changed"));
    return kept;
  };
  return {
    ...asked,
    addReading: (/** @type {any[]} */ ...args) => told(asked.addReading(...args)),
    changeReading: (/** @type {any[]} */ ...args) => told(asked.changeReading(...args)),
    removeReading: (/** @type {any[]} */ ...args) => told(asked.removeReading(...args)),
  };
}
