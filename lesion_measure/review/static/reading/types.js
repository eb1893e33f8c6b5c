/**
 * The shapes of `review/messages.py` that the viewer reads, for editors and type checkers.
 *
 * @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint
 * @typedef {[FramePoint, FramePoint]} Line
 * @typedef {{value: number | null, ci95: [number, number] | null}} Size
 * @typedef {"caliper" | "outline" | "resolved" | "not_found" | "not_assessable"} Kind
 *
 * @typedef {object} Draft
 * @property {string} image
 * @property {number} frame
 * @property {string} lesion
 * @property {string} plane
 * @property {Kind} kind
 * @property {Line | null} long
 * @property {Line | null} short
 * @property {FramePoint[] | null} contour
 * @property {string} reason
 * @property {string} comment
 * @property {string} began_as
 *
 * @typedef {object} Measured
 * @property {Size | null} long_axis_mm
 * @property {Size | null} short_axis_mm
 * @property {Size | null} area_mm2
 * @property {Line | null} long
 * @property {Line | null} short
 * @property {FramePoint[] | null} outline
 * @property {string[]} warnings
 * @property {string | null} refusal
 * @property {string | null} remedy
 *
 * @typedef {object} Reading
 * @property {string} id
 * @property {number} version
 * @property {string} visit
 * @property {string} reader
 * @property {boolean} signed
 * @property {Draft} draft
 * @property {Measured} measured
 *
 * @typedef {object} Earlier
 * @property {string} id
 * @property {string} source
 * @property {[number, number, number, number][]} shows
 * @property {Draft} draft
 * @property {Measured} measured
 * @property {number | null} confidence
 *
 * @typedef {import("../canvas/coordinates.js").Part & {spacing_mm: [number, number] | null}} Region
 *
 * @typedef {object} ImageItem
 * @property {string} id
 * @property {string} label
 * @property {string} plane
 * @property {number} rows
 * @property {number} columns
 * @property {number} frames
 * @property {number | null} frame_time_ms
 * @property {[number, number] | null} spacing_mm
 * @property {Region[]} regions
 * @property {string | null} refusal
 * @property {string[]} warnings
 *
 * @typedef {{id: string, label: string, date: string | null, day: number | null, images: ImageItem[]}} Visit
 *
 * @typedef {object} Case
 * @property {string} id
 * @property {string} label
 * @property {Visit[]} visits
 * @property {string[]} refusals what an earlier run could not say, and why
 * @property {string[]} lesions
 * @property {Reading[]} readings
 * @property {Earlier[]} earlier
 * @property {boolean} locked
 *
 * @typedef {{reader: string, role: string, blinded: boolean, network: string | null}} Session
 *
 * @typedef {object} LesionResult
 * @property {string} lesion
 * @property {string} visit
 * @property {Size | null} longest_diameter_mm
 * @property {Size | null} volume_ml
 * @property {number | null} percent
 * @property {[number, number] | null} percent_ci95
 * @property {number | null} percent_volume
 * @property {[number, number] | null} percent_volume_ci95
 * @property {string[]} warnings
 *
 * @typedef {object} CaseResult
 * @property {LesionResult[]} lesions
 * @property {string | null} verdict
 * @property {string | null} explanation
 * @property {boolean | null} certain
 * @property {number | null} percent
 * @property {[number, number] | null} percent_ci95
 * @property {number[]} limits percent changes at which the rule's verdict turns
 * @property {string[]} needs
 */

export {};
