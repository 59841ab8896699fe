// Monaco checks JSON and GraphQL in web workers. Bundled here, they come from the router itself, so the page works offline.
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

const WORKERS = { json: JsonWorker, graphql: GraphQLWorker };

globalThis.MonacoEnvironment = {
  getWorker(_workerId, label) {
    const Worker = WORKERS[label] ?? EditorWorker;
    return new Worker();
  },
};
