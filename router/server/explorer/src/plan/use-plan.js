// The plan of the operation in the current tab, kept fresh while the person types.
import { useGraphiQL } from "@graphiql/react";
import { useEffect, useState } from "react";

import { postJson } from "../router.js";

const PAUSE_MS = 300; // a plan for every keystroke would be work for nobody
const NOTHING = { plan: null, error: null };

/**
 * {plan: {text, json} | null, error: string | null, query}, the query being that of the current tab.
 *
 * A plan outlives the errors after it, until a new one is there.
 */
export function usePlan(endpoint) {
  const { query, operationName, variables } = useGraphiQL(currentOperation);
  const [state, setState] = useState(NOTHING);
  useEffect(() => {
    if (!query?.trim()) {
      setState(NOTHING);
      return undefined;
    }
    const controller = new AbortController();
    const request = { query, operationName, variables: variablesOf(variables) };
    const timer = setTimeout(async () => {
      const answer = await askForPlan(endpoint, request, controller.signal);
      if (!controller.signal.aborted) setState((before) => ({ ...before, error: null, ...answer }));
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [endpoint, query, operationName, variables]);
  return { ...state, query };
}

function currentOperation({ tabs, activeTabIndex }) {
  const { query, operationName, variables } = tabs[activeTabIndex];
  return { query, operationName, variables };
}

async function askForPlan(endpoint, request, signal) {
  try {
    const { status, body } = await postJson(endpoint, request, {}, signal);
    if (status === 200 && body.json) return { plan: body };
    return { error: (body.errors ?? [{ message: `The router answered ${status}.` }]).map(errorLine).join("\n") };
  } catch (error) {
    return { error: error.message };
  }
}

function errorLine({ message, locations }) {
  const [place] = locations ?? [];
  return place ? `${message} (line ${place.line}, column ${place.column})` : message;
}

/** Variables only choose between branches of a plan, so while their JSON is unfinished the plan is that without them. */
function variablesOf(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return {};
  }
}
