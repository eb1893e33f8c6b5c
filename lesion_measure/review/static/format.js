/** Numbers and dates as people read them; a millimetre is only ever written here, never made. */

import { language, t } from "./texts.js";

export const MINUS = "\u2212";
export const NOTHING = "\u2013";

const MOST_DIGITS = 6, SMALLEST_DIGITS = 9, TINY = 1e-9;

/** A number without its sign; a half goes to the even digit, as in the report. */
function rounded(value, digits) {
  const size = Math.abs(value);
  const isHalf = (size * 2 ** (digits + 1)) % 2 === 1;  // no other number ends in exactly a half
  const text = size.toFixed(digits);
  return isHalf && Number(text.at(-1)) % 2 === 1 ? (Number(text) - 10 ** -digits).toFixed(digits) : text;
}

/**
 * A fixed count of decimals with a typographic minus; more where it would stand as 0 and is not.
 * @param {number|null|undefined} value @returns {string}
 */
export function fixed(value, digits = 1, signed = false) {
  if (value === null || value === undefined) return NOTHING;
  let text = rounded(value, digits);
  while (Number(text) === 0 && Math.abs(value) >= TINY && digits < SMALLEST_DIGITS) text = rounded(value, ++digits);
  const zero = Number(text) === 0;
  return `${value < 0 && !zero ? MINUS : signed && !zero ? "+" : ""}${text}`;
}

/** A size with its unit, e.g. `31.4 mm`. @param {Size|null} size */
export function amount(size, unit, digits = 1) {
  return size?.value === null || size?.value === undefined ? NOTHING : `${fixed(size.value, digits)} ${unit}`;
}

/** Decimals of a volume in mL: two or three digits in all. @param {number|null|undefined} value */
export function volumeDigits(value) {
  const size = Math.abs(value ?? 0);
  if (size >= 10) return 1;
  return size >= 0.1 || size === 0 ? 2 : 1 - Math.floor(Math.log10(size));
}

/** A 95 % interval, e.g. `25.9 to 36.9`; empty where there is none. @param {[number, number]|null|undefined} interval */
export function interval(interval, digits = 1) {
  return interval ? t("interval", { low: fixed(interval[0], digits), high: fixed(interval[1], digits) }) : "";
}

/** Decimals of a percent change: more than one where rounding would hide its side of a rule's limit. */
function tellingDigits(value, limits) {
  let digits = 1;
  for (const limit of limits) {
    while (Math.abs(value - limit) > TINY && digits < MOST_DIGITS) {
      const shown = Math.sign(value) * Number(rounded(value, digits));
      if (shown === value || (shown !== limit && shown < limit === value < limit)) break;
      digits += 1;
    }
  }
  return digits;
}

const change = (value, limits) => fixed(value, tellingDigits(value, limits), true);

/** A signed percent change. @param {number|null|undefined} value @param {number[]} limits those of the rule */
export function percent(value, limits = []) {
  return value === null || value === undefined ? NOTHING : `${change(value, limits)} %`;
}

/** The 95 % interval of a percent change; empty where there is none. @param {[number, number]|null|undefined} ends */
export function percentInterval(ends, limits = []) {
  return ends ? `${t("interval", { low: change(ends[0], limits), high: change(ends[1], limits) })} %` : "";
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
