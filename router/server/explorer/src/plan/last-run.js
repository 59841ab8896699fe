// What the router told of the fetches of the operation that was run last.
import { useSyncExternalStore } from "react";

const listeners = new Set();
let lastRun = null;

/** Keeps what `result` tells of the fetches for `query`; the result as the person should see it, without that. */
export function takeFetches(query, result) {
  const { galleria, ...others } = result?.extensions ?? {};
  lastRun = galleria ? { query, ...galleria } : null;
  for (const listener of listeners) listener();
  if (!galleria) return result;
  const { extensions, ...answer } = result;
  return Object.keys(others).length > 0 ? { ...answer, extensions: others } : answer;
}

/** {query, fetches: [{fetch, subgraph, startMs, durationMs, ...}], executionMs} of the last run; null where none is known. */
export function useLastRun() {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => lastRun,
  );
}
