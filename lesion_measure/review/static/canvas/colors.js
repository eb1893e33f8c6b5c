/** A colour and a letter for each lesion, by its place in the list. All stand out from black and grey, and from one another
 * for most eyes; the letter tells them apart for all. */

const COLORS = ["#4cc9f0", "#ffb703", "#ff7eb6", "#80ed99", "#c8a2ff", "#ff8a5b", "#f4f482", "#6ee7d8"];
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** @type {(index: number) => string} */
export function colorOf(index) {
  return COLORS[index % COLORS.length];
}

/** @type {(index: number) => string} */
export function letterOf(index) {
  return LETTERS[index] ?? String(index + 1);
}
