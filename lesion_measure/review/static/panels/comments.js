/** What readers wrote to a case. */

import * as api from "../api.js";
import { h } from "../dom.js";
import { moment } from "../format.js";
import { readerName } from "../names.js";
import { t } from "../texts.js";

function form(frame) {
  const text = h("textarea", { rows: 3, maxlength: 2000, required: true });
  const send = async (event) => {
    event.preventDefault();
    if (text.value.trim()) await frame.after(() => api.comment(frame.data.id, text.value.trim()));
  };
  return h("form", { onsubmit: send }, h("label", {}, h("span", {}, t("comments.write")), text), h("div", { class: "actions" }, h("button", { class: "main" }, t("comments.send"))));
}

const one = (comment) => h("li", {}, h("p", { class: "said" }, comment.text), h("small", { class: "quiet" }, readerName(comment.reader), " · ", moment(comment.at)));

/** @type {Panel} */
export const comments = {
  count: (data) => data.comments.length,
  draw: (frame) => [
    frame.data.comments.length ? h("ol", { class: "plain-list" }, frame.data.comments.map(one)) : h("p", { class: "quiet" }, t("comments.none")),
    form(frame),
  ],
};
