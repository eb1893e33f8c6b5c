/** A colour and a number for each lesion, by its place in the list. All colours stand out from black and grey, and from one
 * another for most eyes; the number tells them apart for all. It is the key that chooses the lesion, and no letter: visits
 * of blinded reading are called by letters. */

const COLORS = ["#4cc9f0", "#ffb703", "#ff7eb6", "#80ed99", "#c8a2ff", "#ff8a5b", "#f4f482", "#6ee7d8"];

/** @type {(index: number) => string} */
export function colorOf(index) {
  return COLORS[index % COLORS.length];
}

/** @type {(index: number) => string} */
export function numberOf(index) {
  return String(index + 1);
}
