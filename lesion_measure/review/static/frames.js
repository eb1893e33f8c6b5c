/**
 * Frames as the server sent them, decoded and ready to draw, and those that the reader will ask for next.
 *
 * A frame is a picture of the browser (``ImageBitmap``). What was used longest ago is let go when all take more than
 * ``bytes``.
 */

const BYTES_PER_PIXEL = 4;
const AT_ONCE = 2;
const MOST_BYTES = 400_000_000;

/** @typedef {{image: string, frame: number}} Wanted */

export class Frames {
  /**
   * @param {(image: string, frame: number) => Promise<Blob>} load
   * @param {{bytes?: number, inUse?: () => Set<ImageBitmap>}} [how] what is in use is never let go
   */
  constructor(load, { bytes = MOST_BYTES, inUse = () => new Set() } = {}) {
    this._load = load;
    this._most = bytes;
    this._inUse = inUse;
    this._used = 0;
    /** @type {Map<string, ImageBitmap>} oldest use first */
    this._kept = new Map();
    /** @type {Map<string, Promise<ImageBitmap>>} */
    this._coming = new Map();
    /** @type {Wanted[]} */
    this._next = [];
    /** @type {Wanted[]} */
    this._after = [];
    this._running = 0;
  }

  /**
   * A frame that is here; null where it has to be waited for.
   * @param {string} image
   * @param {number} frame
   * @returns {ImageBitmap | null}
   */
  here(image, frame) {
    const key = keyOf(image, frame);
    const found = this._kept.get(key);
    if (found === undefined) return null;
    this._kept.delete(key);
    this._kept.set(key, found);
    return found;
  }

  /**
   * A frame, loaded where it is not here. Rejects where the server refuses it.
   * @param {string} image
   * @param {number} frame
   * @returns {Promise<ImageBitmap>}
   */
  get(image, frame) {
    const found = this.here(image, frame);
    if (found !== null) return Promise.resolve(found);
    const key = keyOf(image, frame);
    const coming = this._coming.get(key) ?? this._fetch(key, image, frame);
    this._coming.set(key, coming);
    return coming;
  }

  /**
   * What to load next while nothing is asked for; replaces what was said before.
   * @param {Wanted[]} wanted the most urgent first
   */
  ahead(wanted) {
    this._next = wanted.filter(({ image, frame }) => !this._isKnown(keyOf(image, frame)));
    this._advance();
  }

  /** What to load when nothing else is left to load. @param {Wanted[]} wanted */
  later(wanted) {
    this._after = wanted;
    this._advance();
  }

  /** @param {string} key */
  _isKnown(key) {
    return this._kept.has(key) || this._coming.has(key);
  }

  /**
   * @param {string} key
   * @param {string} image
   * @param {number} frame
   */
  async _fetch(key, image, frame) {
    try {
      const blob = await this._load(image, frame);
      const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
      this._keep(key, bitmap);
      return bitmap;
    } finally {
      this._coming.delete(key);
    }
  }

  /**
   * @param {string} key
   * @param {ImageBitmap} bitmap
   */
  _keep(key, bitmap) {
    this._kept.set(key, bitmap);
    this._used += sizeOf(bitmap);
    const inUse = this._inUse();
    for (const [oldest, old] of this._kept) {
      if (this._used <= this._most) break;
      if (oldest === key || inUse.has(old)) continue;
      this._kept.delete(oldest);
      this._used -= sizeOf(old);
      old.close();
    }
  }

  _advance() {
    while (this._running < AT_ONCE) {
      const wanted = this._next.shift() ?? this._after.shift();
      if (wanted === undefined) return;
      if (this._isKnown(keyOf(wanted.image, wanted.frame))) continue;
      this._running += 1;
      this._settle(this.get(wanted.image, wanted.frame));
    }
  }

  /** @param {Promise<ImageBitmap>} loading */
  async _settle(loading) {
    // A frame loaded ahead that fails is asked for again, and told, when the reader comes to it.
    await loading.catch(() => null);
    this._running -= 1;
    this._advance();
  }
}

/**
 * The frames that a reader who moves this way will see next, then those just behind.
 * @param {{id: string, frames: number}} image
 * @param {number} frame
 * @param {1 | -1} direction
 * @param {number} count
 * @returns {Wanted[]}
 */
export function onTheWay(image, frame, direction, count = 8) {
  const forward = Array.from({ length: count }, (_, step) => frame + direction * (step + 1));
  const behind = [frame - direction, frame - 2 * direction];
  return [...forward, ...behind]
    .filter((number) => number >= 1 && number <= image.frames)
    .map((number) => ({ image: image.id, frame: number }));
}

/** @param {string} image @param {number} frame */
function keyOf(image, frame) {
  return `${image}/${frame}`;
}

/** @param {ImageBitmap} bitmap */
function sizeOf(bitmap) {
  return bitmap.width * bitmap.height * BYTES_PER_PIXEL;
}
