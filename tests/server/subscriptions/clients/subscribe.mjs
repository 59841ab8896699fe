// node subscribe.mjs CLIENT URL QUERY TOKEN: prints each result as a line of JSON, then "complete" or the error.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";

const [client, url, query, token] = process.argv.slice(2);
const headers = { authorization: token };

const sink = {
  next: (result) => console.log(JSON.stringify(result)),
  error: (error) => console.log(JSON.stringify({ error: error.message ?? error })),
  complete: () => {
    console.log("complete");
    process.exit(0);
  },
};

const clients = {
  "graphql-ws": () =>
    createWsClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, connectionParams: headers, retryWait: async () => {} })
      .subscribe({ query }, sink),
  "graphql-sse": () => createSseClient({ url, headers }).subscribe({ query }, sink),
  "apollo-client": () =>
    new ApolloClient({ link: new HttpLink({ uri: url, headers }), cache: new InMemoryCache() })
      .subscribe({ query: gql(query), fetchPolicy: "no-cache" })
      .subscribe({ ...sink, next: ({ data, error }) => sink.next(error ? { errors: [error.message] } : { data }) }),
};

clients[client]();
