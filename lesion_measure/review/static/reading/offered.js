/** What is offered for the lesion in hand, to be accepted: the network's outline, and what was drawn or said before. */

import { Problem } from "../api.js";
import { readerName } from "../names.js";
import { same } from "./book.js";

/** How long a frame has been shown when it is asked about: whoever goes through a cine asks nothing. */
const DWELL_MS = 300;

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./types.js").Measured} Measured */
/** @typedef {import("../canvas/pane.js").Pane} Pane */

/** @typedef {{draft: Draft, measured: Measured | null, confidence: number | null, sure: boolean, byClick: boolean}} Proposal */

export class Offered {
  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    this._desk = desk;
    /** @type {Proposal | null} what the network drew, not yet accepted */
    this.proposal = null;
    /** @type {Map<string, import("./types.js").Earlier[]>} calipers that the scanner burnt in, by frame; none while they are asked for */
    this._burntIn = new Map();
  }

  /** A pane shows a frame: what is burnt into it is asked for once it has been looked at for a moment. @param {Pane} pane */
  look(pane) {
    const { data, session } = this._desk;
    const { place } = pane;
    const key = `${place.image.id}/${place.frame}`;
    if (data.locked || session.blinded || this._burntIn.has(key)) return;
    setTimeout(() => pane.place === place && !this._burntIn.has(key) && void this._ask(key, place), DWELL_MS);
  }

  /** @param {string} key @param {import("../canvas/pane.js").Place} place */
  async _ask(key, { image, frame }) {
    this._burntIn.set(key, []);
    try {
      this._burntIn.set(key, await this._desk.api.burntIn(image.id, frame));
      this._desk.tell("change");
    } catch (problem) {
      // It is asked for again when the frame is shown again; a frame that cannot be shown is told by its pane.
      if (!(problem instanceof Problem)) throw problem;
      this._burntIn.delete(key);
    }
  }

  /**
   * What is burnt into the frame that a pane shows, for the lesion in hand: of several the longest that no reading took.
   * @param {Pane} pane
   * @returns {import("./types.js").Earlier | null}
   */
  burntInOn(pane) {
    const { image, frame } = pane.place;
    const { book, lesion } = this._desk;
    const taken = book.entries.map(({ draft }) => draft).filter((draft) => draft?.image === image.id && draft.frame === frame);
    const free = (this._burntIn.get(`${image.id}/${frame}`) ?? []).find(({ id, draft }) => !taken.some((own) => own?.began_as === id || same(own?.long, draft.long)));
    return free === undefined ? null : { ...free, draft: { ...free.draft, lesion } };
  }

  /** The network's outline of the lesion in hand on what a pane shows. @param {Pane} pane */
  proposalOn(pane) {
    return this.proposal !== null && samePlace(this.proposal.draft, this._desk.fresh(pane)) ? this.proposal : null;
  }

  /** What was drawn before of the lesion in hand on what a pane shows, where the reader has not read it. @param {Pane} pane */
  earlierOn(pane) {
    if (this._desk.locked || this._desk.draftOn(pane) !== null) return null;
    const here = this._desk.fresh(pane);
    // An adjudicator chooses between readers where both stand side by side.
    const offers = this._desk.session.role === "adjudicator" ? this._desk.data.earlier : this.earlier;
    return offers.find(({ draft }) => samePlace(draft, here)) ?? this.burntInOn(pane);
  }

  /** A draft is kept: what the network drew in its place is no longer offered. @param {Draft} draft */
  settled(draft) {
    if (this.proposal !== null && samePlace(this.proposal.draft, draft)) this.proposal = null;
  }

  /** Keep the network's outline; false where none is in view. */
  accept() {
    if (this.proposal === null || this._desk.locked || !this._desk.panes.some((pane) => this.proposalOn(pane))) return false;
    this._desk.keep(this.proposal.draft);
    return true;
  }

  /** Forget the network's outline; false where there is none. */
  discard() {
    if (this.proposal === null) return false;
    this.proposal = null;
    this._desk.tell("change");
    return true;
  }

  /** Read as somebody read before, and show what else was read before; false where nobody did. */
  takeEarlier() {
    const earlier = this._desk.pane && this.earlierOn(this._desk.pane);
    if (!earlier) return false;
    this._desk.keep({ ...earlier.draft, began_as: earlier.id });
    const next = this._desk.data.earlier.find(({ draft }) => this._desk.book.at(draft.image, draft.frame, draft.lesion) === undefined);
    if (next !== undefined) this._desk.goTo(next.draft);
    return true;
  }

  /** What others, or the network, drew before; and what other readers say, where one may see it. */
  get earlier() {
    const others = this._desk.data.readings
      .filter(({ reader }) => reader !== this._desk.session.reader)
      .map(({ id, reader, draft, measured }) => ({ id, source: readerName(reader), draft, measured, confidence: null, shows: [] }));
    return [...this._desk.data.earlier, ...others];
  }
}

/**
 * Whether two drafts are of the same lesion on the same frame.
 * @param {Draft} a
 * @param {Draft} b
 */
function samePlace(a, b) {
  return a.image === b.image && a.frame === b.frame && a.lesion === b.lesion;
}
