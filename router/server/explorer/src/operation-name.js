// The name of the operation that is run. GraphiQL learns it from the text a moment after that was typed or pasted; run before, a
// request would bear the name of what stood in the editor before.
import { parse } from "graphql";

/** `request` ({query, operationName, ...}) with the name that its text gives the operation, where the text holds but one. */
export function withNameOfText(request) {
  const operations = operationsOf(request.query);
  return operations.length === 1 ? { ...request, operationName: operations[0].name?.value ?? null } : request;
}

/** The operations of `text`; none of a text that is no document, of which the router tells what is wrong. */
function operationsOf(text) {
  try {
    return parse(text).definitions.filter(({ kind }) => kind === "OperationDefinition");
  } catch {
    return [];
  }
}
