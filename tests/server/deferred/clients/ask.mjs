// node ask.mjs CLIENT URL QUERY: prints each result that the client shows as a line of JSON, then "complete".
import { ApolloClient, HttpLink, InMemoryCache, NetworkStatus, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { Client, fetchExchange } from "@urql/core";

const [client, url, query] = process.argv.slice(2);

function show(value) {
  console.log(JSON.stringify(value));
}

function end() {
  console.log("complete");
  process.exit(0);
}

function apollo(incrementalHandler) {
  const asking = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache(), incrementalHandler });
  asking.watchQuery({ query: gql(query), errorPolicy: "all", notifyOnNetworkStatusChange: false }).subscribe({
    next: ({ data, error, networkStatus }) => {
      const hasNext = networkStatus === NetworkStatus.streaming;
      show({ data: withoutTypenames(data), errors: messagesOf(error), hasNext });
      if (!hasNext) end();
    },
  });
}

/** Apollo Client asks for `__typename` in every object. */
function withoutTypenames(data = null) {
  return JSON.parse(JSON.stringify(data), (key, value) => (key === "__typename" ? undefined : value));
}

function messagesOf(error) {
  return (error?.errors ?? (error ? [error] : [])).map(({ message }) => message);
}

function urql() {
  new Client({ url, exchanges: [fetchExchange], preferGetMethod: false }).query(query, {}).subscribe(({ data, error, hasNext }) => {
    show({ data: data ?? null, errors: messagesOf(error && { errors: error.graphQLErrors }), hasNext });
    if (!hasNext) end();
  });
}

const clients = {
  "apollo-2022": () => apollo(new Defer20220824Handler()),
  "apollo-current": () => apollo(new GraphQL17Alpha9Handler()),
  urql,
};

clients[client]();
