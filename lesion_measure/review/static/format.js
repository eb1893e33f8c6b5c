/** Numbers and dates as people read them; a millimetre is only ever written here, never made. */

import { language, t } from "./texts.js";

export const MINUS = "\u2212";
export const NOTHING = "\u2013";

/** A fixed count of decimals with a typographic minus. @param {number|null|undefined} value @returns {string} */
export function fixed(value, digits = 1, signed = false) {
  if (value === null || value === undefined) return NOTHING;
  const text = Math.abs(value).toFixed(digits);
  const zero = Number(text) === 0;
  return `${value < 0 && !zero ? MINUS : signed && !zero ? "+" : ""}${text}`;
}

/** A size with its unit, e.g. `31.4 mm`. @param {Size|null} size */
export function amount(size, unit, digits = 1) {
  return size?.value === null || size?.value === undefined ? NOTHING : `${fixed(size.value, digits)} ${unit}`;
}

/** Decimals of a volume in mL: two or three digits in all. @param {number|null|undefined} value */
export function volumeDigits(value) {
  return value === null || value === undefined || Math.abs(value) < 10 ? 2 : 1;
}

/** A 95 % interval, e.g. `25.9 to 36.9`; empty where there is none. @param {[number, number]|null|undefined} interval */
export function interval(interval, digits = 1, signed = false) {
  return interval ? t("interval", { low: fixed(interval[0], digits, signed), high: fixed(interval[1], digits, signed) }) : "";
}

/** A signed percent change. */
export function percent(value) {
  return value === null || value === undefined ? NOTHING : `${fixed(value, 1, true)} %`;
}

/** A probability in whole percent, never said to be none or certain. @param {number} probability from 0 to 1 */
export function chance(probability) {
  if (probability > 0.99) return "> 99";
  return probability < 0.01 ? "< 1" : fixed(probability * 100, 0);
}

const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

/** A moment, in this place's time. @param {string|null} iso */
export function moment(iso) {
  return iso ? moments.format(new Date(iso)) : NOTHING;
}

/** A day as it is written in headers and tables: 2024-03-05. @param {string|null} iso */
export function day(iso) {
  return iso ?? "";
}
