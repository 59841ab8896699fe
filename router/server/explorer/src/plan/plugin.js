// GraphiQL's sidebar gets a panel that shows how the router will answer the current operation.
import { createElement as h, useMemo, useState } from "react";

import { readFetches } from "./fetches.js";
import { layOut } from "./layout.js";
import { Picture, startOf } from "./picture.js";
import { useLastRun } from "./last-run.js";
import { usePlan } from "./use-plan.js";
import { Waterfall } from "./waterfall.js";

/** The plugin for GraphiQL's `plugins`; `endpoint` is where the router plans an operation. */
export function planPlugin(endpoint) {
  return { title: "Query plan", icon: PlanIcon, content: () => h(PlanPanel, { endpoint }) };
}

function PlanPanel({ endpoint }) {
  const { plan, error, query } = usePlan(endpoint);
  const run = useLastRun();
  return h(
    "section",
    { className: "plan-panel", "aria-labelledby": "plan-title" },
    h("h2", { id: "plan-title", className: "plan-title" }, "Query plan"),
    h("div", { role: "status" }, error && h("p", { className: "plan-error" }, h("strong", null, "No plan yet. "), error)),
    !plan && !error && h("p", { className: "plan-hint" }, "Write an operation, and the plan for it appears here."),
    plan && h(Plan, { plan, run: run?.query === query ? run : null, isOutdated: Boolean(error) }),
  );
}

function Plan({ plan, run, isOutdated }) {
  const [selected, select] = useState(null);
  const fetches = useMemo(() => readFetches(plan.json), [plan]);
  const layout = useMemo(() => layOut(fetches), [fetches]);
  const fetch = fetches.find(({ id }) => id === selected);
  return h(
    "div",
    { className: isOutdated ? "plan plan-outdated" : "plan" },
    h("p", { className: "plan-summary" }, summaryOf(fetches, layout.depth)),
    fetches.length > 0 && h(Picture, { layout, selected, onSelect: (id) => select(id === selected ? null : id) }),
    fetch && h(FetchDetails, { fetch }),
    run && run.fetches.length > 0 && h(Waterfall, { run }),
    h("h3", { className: "plan-subtitle" }, "As text"),
    h("pre", { className: "plan-code", tabIndex: 0, "aria-label": "Plan as text" }, plan.text),
  );
}

function FetchDetails({ fetch }) {
  return h(
    "section",
    { "aria-label": `Fetch #${fetch.id}` },
    h("h3", { className: "plan-subtitle" }, `Fetch #${fetch.id}: ${fetch.subgraph}`),
    h("p", { className: "plan-hint" }, startOf(fetch)),
    h("pre", { className: "plan-code", tabIndex: 0, "aria-label": `Document of fetch #${fetch.id}` }, fetch.document),
  );
}

function summaryOf(fetches, depth) {
  if (fetches.length === 0) return "No fetch: the router answers this by itself.";
  const subgraphs = new Set(fetches.map(({ subgraph }) => subgraph)).size;
  const deferred = fetches.filter((fetch) => fetch.deferred).length;
  const whole = `${counted(fetches.length, "fetch", "fetches")} from ${counted(subgraphs, "subgraph", "subgraphs")}, ${depth} deep`;
  return deferred > 0 ? `${whole}, ${deferred} deferred` : whole;
}

function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}

function PlanIcon() {
  return h(
    "svg",
    { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", strokeWidth: 1.6, "aria-hidden": true },
    h("rect", { x: 2.5, y: 9, width: 7, height: 6, rx: 1.5 }),
    h("rect", { x: 14.5, y: 3, width: 7, height: 6, rx: 1.5 }),
    h("rect", { x: 14.5, y: 15, width: 7, height: 6, rx: 1.5 }),
    h("path", { d: "M9.5 12h2.5M14.5 6H12v12h2.5" }),
  );
}
