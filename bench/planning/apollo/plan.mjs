// Lines {supergraph, operations} on stdin -> lines [{depth, fetches, ms} | {error}] on stdout.
import { createInterface } from "node:readline";
import { Supergraph, operationFromDocument } from "@apollo/federation-internals";
import { QueryPlanner } from "@apollo/query-planner";
import { parse } from "graphql";

const depth = (node) => {
  switch (node?.kind) {
    case "Sequence":
      return node.nodes.reduce((sum, child) => sum + depth(child), 0);
    case "Parallel":
      return Math.max(0, ...node.nodes.map(depth));
    case "Flatten":
      return depth(node.node);
    case "Condition":
      return Math.max(depth(node.ifClause), depth(node.elseClause));
    default:
      return node?.kind === "Fetch" ? 1 : 0;
  }
};

const fetches = (node) => {
  switch (node?.kind) {
    case "Sequence":
    case "Parallel":
      return node.nodes.reduce((sum, child) => sum + fetches(child), 0);
    case "Flatten":
      return fetches(node.node);
    case "Condition":
      return fetches(node.ifClause) + fetches(node.elseClause);
    default:
      return node?.kind === "Fetch" ? 1 : 0;
  }
};

const plan = (supergraph, planner, text) => {
  try {
    const operation = operationFromDocument(supergraph.apiSchema(), parse(text));
    const started = performance.now();
    const root = planner.buildQueryPlan(operation).node;
    return { depth: depth(root), fetches: fetches(root), ms: performance.now() - started };
  } catch (error) {
    return { error: String(error.message).split("\n")[0] };
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const { supergraph: sdl, operations } = JSON.parse(line);
  let plans;
  try {
    const supergraph = Supergraph.buildForTests(sdl, false);
    const planner = new QueryPlanner(supergraph);
    plans = operations.map((text) => plan(supergraph, planner, text));
  } catch (error) {
    plans = operations.map(() => ({ error: String(error.message).split("\n")[0] }));
  }
  process.stdout.write(JSON.stringify(plans) + "\n");
}
