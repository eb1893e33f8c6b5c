/** A frame on the canvas of a pane, with the reader's window; what is stored and measured is never touched. */

import { covered } from "./coordinates.js";

const SHARP_FROM = 4;
const WHITE = 255;

/** @typedef {{low: number, high: number}} Window grey values shown as black and as white */

/** @type {Readonly<Window>} */
export const AS_STORED = Object.freeze({ low: 0, high: WHITE });

/**
 * A frame with the window applied; the frame itself where the window changes nothing.
 */
export class Windowed {
  constructor() {
    /** @type {{bitmap: ImageBitmap, low: number, high: number, canvas: OffscreenCanvas} | null} */
    this._last = null;
  }

  /**
   * @param {ImageBitmap} bitmap
   * @param {Window} window
   * @returns {CanvasImageSource}
   */
  of(bitmap, { low, high }) {
    if (low === AS_STORED.low && high === AS_STORED.high) return bitmap;
    const last = this._last;
    if (last !== null && last.bitmap === bitmap && last.low === low && last.high === high) return last.canvas;
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    context.drawImage(bitmap, 0, 0);
    const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const table = tableOf(low, high);
    const { data } = pixels;
    for (let index = 0; index < data.length; index += 4) {
      data[index] = table[data[index]];
      data[index + 1] = table[data[index + 1]];
      data[index + 2] = table[data[index + 2]];
    }
    context.putImageData(pixels, 0, 0);
    this._last = { bitmap, low, high, canvas };
    return canvas;
  }
}

/**
 * Draw a frame where the view puts it. Beyond four times its size, pixels are shown as they are, to be measured by.
 * @param {CanvasRenderingContext2D} context in CSS pixels
 * @param {CanvasImageSource} picture
 * @param {import("./coordinates.js").View} view
 * @param {import("./coordinates.js").FrameSize} frame
 * @param {boolean} [isSmooth]
 */
export function drawPicture(context, picture, view, frame, isSmooth = view.scale <= SHARP_FROM) {
  const { x, y, width, height } = covered(view, frame);
  context.imageSmoothingEnabled = isSmooth;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, width, height);
}

/**
 * The context of an emptied canvas, in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {import("./coordinates.js").PaneSize} size
 */
export function cleared(canvas, size) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setTransform(canvas.width / size.width, 0, 0, canvas.height / size.height, 0, 0);
  return context;
}

/** @param {number} low @param {number} high */
function tableOf(low, high) {
  const slope = WHITE / Math.max(1, high - low);
  return Uint8ClampedArray.from({ length: WHITE + 1 }, (_, value) => (value - low) * slope);
}
