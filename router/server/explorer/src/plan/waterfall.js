// The waterfall of a run: a bar for every fetch, from when it was sent until its answer was there.
import { createElement as h } from "react";

import { hueOf } from "./hue.js";

const LEAST_PERCENT = 0.5; // so that a bar can be seen

/** Draws `run` (of useLastRun). */
export function Waterfall({ run }) {
  const whole = Math.max(run.executionMs, ...run.fetches.map(({ startMs, durationMs }) => startMs + durationMs), 0.001);
  return h(
    "section",
    { "aria-label": "Fetches of the last run" },
    h("h3", { className: "plan-subtitle" }, `Last run: ${inMs(run.executionMs)}`),
    h("ol", { className: "waterfall" }, run.fetches.map((fetch, index) => h(Row, { key: index, fetch, whole }))),
  );
}

function Row({ fetch, whole }) {
  const left = (fetch.startMs / whole) * 100;
  const width = Math.max(LEAST_PERCENT, (fetch.durationMs / whole) * 100);
  const failed = fetch.code || fetch.status >= 400;
  return h(
    "li",
    { className: failed ? "waterfall-row waterfall-failed" : "waterfall-row", title: wordsOf(fetch), "aria-label": wordsOf(fetch) },
    h("span", { className: "waterfall-name" }, nameOf(fetch)),
    h(
      "span",
      { className: "waterfall-track", "aria-hidden": true },
      h("span", { className: "waterfall-bar", style: { left: `${left}%`, width: `${width}%`, "--hue": hueOf(fetch.subgraph) } }),
    ),
    h("span", { className: "waterfall-time" }, inMs(fetch.durationMs)),
  );
}

function nameOf({ fetch, subgraph }) {
  return fetch === null ? subgraph : `#${fetch} ${subgraph}`;
}

/** "Fetch #1 from inventory: sent after 2.1 ms, took 1.3 ms, status 200, 312 bytes, 2 entities." */
function wordsOf(fetch) {
  const parts = [`sent after ${inMs(fetch.startMs)}`, `took ${inMs(fetch.durationMs)}`];
  if (fetch.status !== undefined) parts.push(`status ${fetch.status}`, `${fetch.responseBytes} bytes`);
  if (fetch.code) parts.push(fetch.code);
  if (fetch.representations !== undefined) parts.push(fetch.representations === 1 ? "1 entity" : `${fetch.representations} entities`);
  const number = fetch.fetch === null ? "" : ` #${fetch.fetch}`;
  return `Fetch${number} from ${fetch.subgraph}: ${parts.join(", ")}.`;
}

function inMs(value) {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
