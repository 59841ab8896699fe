// The fetches of a plan as the picture shows them, read from the JSON that the router's planner prints.
import { parse, print, visit } from "graphql";

/** `plan.fetches` -> [{id, subgraph, dependsOn, document (formatted), brings (a few words), condition ("" if none),
 * deferred: what it is deferred with ("" if it is not)}]. */
export function readFetches(plan) {
  const deferrals = new Map(plan.deferred?.flatMap((part) => part.fetches.map((id) => [id, fragmentsOf(part)])));
  return plan.fetches.map((fetch) => {
    const document = parse(fetch.document, { noLocation: true });
    return {
      id: fetch.id,
      subgraph: fetch.subgraph,
      dependsOn: fetch.dependsOn ?? [], // the router leaves out what is empty
      document: print(document),
      brings: whatIsFetched(document),
      condition: (fetch.runIf ?? []).map(allOf).join(" or "),
      deferred: deferrals.get(fetch.id) ?? "",
    };
  });
}

/** One alternative under which a fetch is needed: "$withStock and not $short". */
function allOf(conditions) {
  return conditions.map(({ variable, include }) => `${include ? "" : "not "}$${variable}`).join(" and ");
}

/** "'parcel' at order": the label of each deferred fragment of a part, where it has one, and where it stands. */
function fragmentsOf({ fragments }) {
  return fragments.map(({ label, path }) => `${label ? `'${label}' ` : ""}at ${path.join(".") || "the root"}`).join(", ");
}

/** "orders, me" for a fetch of root fields, "Order, Product by key" for one of entities. */
function whatIsFetched(document) {
  const rootFields = document.definitions.find((definition) => definition.operation).selectionSet.selections;
  const names = rootFields.map((field) => field.name?.value);
  if (!names.includes("_entities")) return [...new Set(names)].join(", ");
  const types = rootFields.flatMap(entityTypes);
  return `${[...new Set(types)].join(", ")} by key`;
}

/** Types of the outermost `... on Type` below an `_entities` field. */
function entityTypes(field) {
  const types = [];
  visit(field, {
    InlineFragment(node) {
      if (!node.typeCondition) return undefined;
      types.push(node.typeCondition.name.value);
      return false;
    },
  });
  return types;
}
