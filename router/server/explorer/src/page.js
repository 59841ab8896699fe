// The explorer page. Written without JSX, so that index.cdn.html can load these very files where nothing was built.
import { useGraphiQL } from "@graphiql/react";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createElement as h, useEffect } from "react";
import { createRoot } from "react-dom/client";

import { takeFetches } from "./plan/last-run.js";
import { withNameOfText } from "./operation-name.js";
import { readConfig, run } from "./router.js";
import { planPlugin } from "./plan/plugin.js";

/** Fills `element` with GraphiQL as the router's configuration says, or with the reason why that is not possible. */
export async function openPage(element) {
  const root = createRoot(element);
  try {
    const config = await readConfig();
    document.title = config.title;
    root.render(h(Explorer, { config, settings: explorerSettings(config) }));
  } catch (error) {
    root.render(h("p", { className: "explorer-message", role: "alert" }, error.message));
  }
}

function Explorer({ config, settings }) {
  const title = h("span", { className: "explorer-title" }, config.title);
  return h(GraphiQL, settings, h(GraphiQL.Logo, null, title), h(WrappedLines));
}

/** Wraps long lines of the operation: its editor is the narrowest of three columns. GraphiQL has no property for it. */
function WrappedLines() {
  const editor = useGraphiQL((state) => state.queryEditor);
  useEffect(() => editor?.updateOptions({ wordWrap: "on" }), [editor]);
  return null;
}

/** GraphiQL's properties, made once: its plugins are compared by identity. */
function explorerSettings({ endpoint, planEndpoint, fetchesHeader, headers, tabs }) {
  const plan = planEndpoint ? planPlugin(planEndpoint) : null;
  const isFirstVisit = !storedTabs();
  return {
    fetcher: async (params, { headers: edited } = {}) => {
      const request = withNameOfText(params);
      // GraphiQL asks for the schema by itself: what the person has run stays in view.
      if (!fetchesHeader || request.operationName === "IntrospectionQuery") return run(endpoint, request, edited);
      return takeFetches(request.query, await run(endpoint, request, { [fetchesHeader]: "1", ...edited }));
    },
    plugins: plan ? [plan, HISTORY_PLUGIN] : [HISTORY_PLUGIN],
    defaultTabs: tabs.length > 0 ? tabs.map(asTab) : undefined,
    // GraphiQL falls back on these in every tab without headers of its own, so a token is fresh after each reload ...
    defaultHeaders: Object.keys(headers).length > 0 ? asText(headers) : undefined,
    // ... and never needs to be kept in the browser's storage.
    shouldPersistHeaders: false,
    showPersistHeadersSettings: false,
    // Else headers would be in front in every tab, because each of them has some.
    defaultEditorToolsVisibility: "variables",
    // GraphiQL takes the first tab's variables from here alone; later on from its storage, which must then win.
    initialVariables: isFirstVisit && tabs[0]?.variables ? asText(tabs[0].variables) : undefined,
    visiblePlugin: isFirstVisit && plan ? plan : undefined,
  };
}

function asTab({ query, variables }) {
  return { query, variables: variables ? asText(variables) : undefined };
}

function asText(value) {
  return JSON.stringify(value, null, 2);
}

/** The tabs that GraphiQL kept of an earlier visit; null at the first, and where the browser forbids storage. */
function storedTabs() {
  try {
    return localStorage.getItem("graphiql:tabState");
  } catch {
    return null;
  }
}
