// The picture of a plan: a button for every fetch, an arrow for every dependency.
import { createElement as h } from "react";

import { hueOf } from "./hue.js";
import { BOX } from "./layout.js";

/** Draws `layout` (of layOut); the fetch with id `selected` stands out, `onSelect(id)` is called for a click on another. */
export function Picture({ layout, selected, onSelect }) {
  const size = { width: layout.width, height: layout.height };
  return h(
    "div",
    { className: "plan-scroll" },
    h(
      "div",
      { className: "plan-picture", style: size, role: "group", "aria-label": "Fetches of the plan" },
      h(Arrows, { ...size, arrows: layout.arrows, selected }),
      layout.boxes.map((box) =>
        h(Box, { key: box.fetch.id, ...box, isSelected: box.fetch.id === selected, onSelect }),
      ),
    ),
  );
}

function Arrows({ arrows, selected, width, height }) {
  const head = h("path", { d: "M0,0 L6,3 L0,6 z" });
  const marker = { id: "plan-arrow", viewBox: "0 0 6 6", refX: 5, refY: 3, markerWidth: 6, markerHeight: 6, orient: "auto" };
  return h(
    "svg",
    { width, height, "aria-hidden": true },
    h("defs", null, h("marker", marker, head)),
    arrows.map(({ from, to, path }) =>
      h("path", {
        key: `${from}-${to}`,
        d: path,
        className: from === selected || to === selected ? "plan-arrow plan-arrow-selected" : "plan-arrow",
        markerEnd: "url(#plan-arrow)",
      }),
    ),
  );
}

function Box({ fetch, x, y, isSelected, onSelect }) {
  const style = { left: x, top: y, width: BOX.width, height: BOX.height, "--hue": hueOf(fetch.subgraph) };
  const label = `Fetch #${fetch.id} from ${fetch.subgraph}: ${fetch.brings}. ${startOf(fetch)}`;
  return h(
    "button",
    {
      type: "button",
      className: classOf(fetch),
      style,
      title: label,
      "aria-label": label,
      "aria-pressed": isSelected,
      onClick: () => onSelect(fetch.id),
    },
    h("span", { className: "plan-box-subgraph" }, fetch.subgraph),
    h("span", { className: "plan-box-brings" }, `#${fetch.id} ${fetch.brings}`),
  );
}

function classOf({ condition, deferred }) {
  return `plan-box${condition ? " plan-box-conditional" : ""}${deferred ? " plan-box-deferred" : ""}`;
}

/** When the fetch is sent, and told: "Starts at once.", "Waits for #0. Only if $withStock. Deferred: 'cost' at order.". */
export function startOf({ dependsOn, condition, deferred }) {
  const start = dependsOn.length > 0 ? `Waits for ${dependsOn.map((id) => `#${id}`).join(" and ")}.` : "Starts at once.";
  return [start, condition && `Only if ${condition}.`, deferred && `Deferred: ${deferred}.`].filter(Boolean).join(" ");
}
