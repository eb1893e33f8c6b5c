/** Frames one after another at the speed at which they were acquired; a frame that is not here yet is waited for. */

const FRAME_MS = 50;

export class Cine {
  /** @param {import("./pane.js").Pane} pane @param {() => void} changed */
  constructor(pane, changed) {
    this._pane = pane;
    this._changed = changed;
    this.playing = false;
    this._next = 0;
  }

  toggle() {
    if (this.playing) this.stop();
    else if (this._pane.place.image.frames > 1) this._start();
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this._changed();
  }

  _start() {
    this.playing = true;
    this._next = performance.now();
    this._changed();
    requestAnimationFrame((now) => this._tick(now));
  }

  /** @param {number} now */
  _tick(now) {
    if (!this.playing) return;
    const { place, wanted } = this._pane;
    if (now >= this._next && place === wanted) {
      this._next = Math.max(now, this._next) + (place.image.frame_time_ms ?? FRAME_MS);
      this._pane.go(place.image, place.frame === place.image.frames ? 1 : place.frame + 1);
    }
    requestAnimationFrame((later) => this._tick(later));
  }
}
