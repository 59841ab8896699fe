// Answers one operation with Apollo Gateway: SUPERGRAPH, OPERATION and AUTHORIZATION in the environment, JSON on stdout.
import { readFileSync } from "node:fs";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { parse } from "graphql";

class WithToken extends RemoteGraphQLDataSource {
  willSendRequest({ request }) {
    request.http.headers.set("authorization", process.env.AUTHORIZATION);
  }
}

const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(process.env.SUPERGRAPH, "utf8"),
  buildService: ({ url }) => new WithToken({ url }),
  logger: { debug() {}, info() {}, warn: console.error, error: console.error },
});
const { executor } = await gateway.load();
const source = readFileSync(process.env.OPERATION, "utf8");
const document = parse(source);
const result = await executor({
  document,
  queryHash: "one",
  operationName: null,
  operation: document.definitions[0],
  request: { query: source, variables: {} },
  context: {},
  logger: gateway.logger,
  cache: new Map(),
  metrics: {},
  schema: gateway.schema,
});
console.log(JSON.stringify(result));
await gateway.stop();
process.exit(0);
