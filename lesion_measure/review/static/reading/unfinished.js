/** What a signature would leave out, in words. */

import { t } from "../texts.js";

/**
 * What is half drawn, offered and not accepted, or not saved.
 * @param {import("./desk.js").Desk} desk
 * @returns {string[]}
 */
export function unfinished(desk) {
  const { tools, offered: { proposal }, book } = desk;
  const place = (/** @type {import("./types.js").Draft} */ { lesion, image }) => `${lesion}, ${desk.visitOf(image)?.label ?? ""}`;
  return [
    ...(tools.halfDrawn ? [t("viewer.unfinished.drawn", { place: place(tools.halfDrawn) })] : []),
    ...(tools.ask.asked ? [t("viewer.unfinished.asked", { place: place(tools.ask.asked) })] : []),
    ...(proposal ? [t("viewer.unfinished.offered", { place: place(proposal.draft) })] : []),
    ...book.unsaved.flatMap(({ draft, reading }) => {
      const about = draft ?? reading?.draft;
      return about ? [t("viewer.unfinished.unsaved", { place: place(about) })] : [];
    }),
  ];
}
