/**
 * Pointer and wheel on a pane: zoom, pan and window here, everything else to the tool in hand.
 *
 * Mouse, pen and touch alike. Two fingers pinch; the middle button, or the space bar held, pans; the right one sets the
 * window.
 */

/** @typedef {import("./pane.js").Pane} Pane */

const ZOOM_PER_PIXEL = 0.0016;
const PIXELS_PER_LINE = 33;
const GREY_PER_PIXEL = 0.6;
/** How far a finger that only rests may move, in CSS pixels. */
const JITTER = 10;

/**
 * Listen on a pane.
 * @param {import("../reading/desk.js").Desk} desk
 * @param {Pane} pane
 * @returns {() => void} ends it
 */
export function listen(desk, pane) {
  const ends = new AbortController();
  const hand = new Hand(desk, pane);
  const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ run, options = {}) =>
    pane.overlay.addEventListener(name, run, { signal: ends.signal, ...options });
  on("wheel", (event) => wheel(pane, event), { passive: false });
  on("pointerdown", (event) => hand.down(event));
  on("pointermove", (event) => hand.move(event));
  on("pointerup", (event) => hand.up(event));
  on("pointercancel", (event) => hand.cancel(event));
  on("pointerleave", () => hand.leave());
  on("dblclick", () => desk.tools.finish());
  on("contextmenu", (event) => event.preventDefault());
  return () => ends.abort();
}

/** @param {Pane} pane @param {WheelEvent} event */
function wheel(pane, event) {
  event.preventDefault();
  const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? PIXELS_PER_LINE : 1;
  if (event.shiftKey && pane.place.image.frames > 1) {
    pane.step(Math.sign(event.deltaY || event.deltaX));
    return;
  }
  pane.zoom(Math.exp(-event.deltaY * pixels * ZOOM_PER_PIXEL), pane.cssOf(event));
}

/** What the pointers on one pane are doing. */
class Hand {
  /** @param {import("../reading/desk.js").Desk} desk @param {Pane} pane */
  constructor(desk, pane) {
    this.desk = desk;
    this.pane = pane;
    /** @type {Map<number, [number, number]>} */
    this.fingers = new Map();
    /** @type {"none" | "pan" | "window" | "pinch" | "tool"} */
    this.doing = "none";
    /** @type {[number, number]} */
    this.last = [0, 0];
    /** @type {[number, number]} where the press was */
    this.from = [0, 0];
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { desk, pane } = this;
    desk.lookAt(pane);
    pane.overlay.focus({ preventScroll: true });
    pane.overlay.setPointerCapture(event.pointerId);
    pane.byKeys = false;
    const at = pane.cssOf(event);
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, at);
    if (this.fingers.size === 2) {
      this.unpress();
      this.last = at;
      this.doing = "pinch";
      return;
    }
    this.from = at;
    this.last = at;
    this.doing = this.meant(event);
    if (this.doing === "tool" && !desk.tools.down(pane, pane.placeOf(event), event)) this.doing = "pan";
  }

  /** @param {PointerEvent} event @returns {"pan" | "window" | "tool"} */
  meant(event) {
    if (event.button === 1 || this.desk.panning) return "pan";
    return event.button === 2 ? "window" : "tool";
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { desk, pane } = this;
    const at = pane.cssOf(event);
    const [dx, dy] = [at[0] - this.last[0], at[1] - this.last[1]];
    pane.pointer = pane.pointOf(event);
    if (this.doing === "pinch") this.pinch(event.pointerId, at);
    else if (this.doing === "pan") pane.pan(dx, dy);
    else if (this.doing === "window") pane.adjust(-dy * GREY_PER_PIXEL, dx * GREY_PER_PIXEL);
    else if (this.doing === "tool") desk.tools.move(pane, pane.placeOf(event), event);
    else desk.tools.hover(pane, pane.pointer, event);
    this.last = at;
    if (desk.show.position || desk.tools.followsPointer) pane.redraw();
  }

  /** @param {number} id @param {[number, number]} at */
  pinch(id, at) {
    const before = [...this.fingers.values()];
    this.fingers.set(id, at);
    const after = [...this.fingers.values()];
    if (before.length !== 2) return;
    const [was, is] = [spread(before), spread(after)];
    this.pane.pan(is.x - was.x, is.y - was.y);
    this.pane.zoom(is.apart / was.apart, [is.x, is.y]);
  }

  /** @param {PointerEvent} event */
  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.doing === "tool") this.desk.tools.up(this.pane, this.pane.placeOf(event), event);
    if (this.fingers.size === 0) this.doing = "none";
  }

  /** @param {PointerEvent} event */
  cancel(event) {
    this.fingers.delete(event.pointerId);
    this.unpress();
    this.doing = "none";
  }

  /** The press was none of a tool's: a second finger came, or the system took the pointer. */
  unpress() {
    if (this.doing !== "tool") return;
    const [dx, dy] = [this.last[0] - this.from[0], this.last[1] - this.from[1]];
    this.desk.tools.unpress(Math.hypot(dx, dy) > JITTER);
  }

  leave() {
    if (this.doing !== "none") return;
    this.pane.pointer = null;
    this.pane.redraw();
  }
}

/** Middle and distance of two fingers. @param {[number, number][]} fingers */
function spread([a, b]) {
  return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, apart: Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1])) };
}
