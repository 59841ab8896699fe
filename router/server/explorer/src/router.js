// The router's answers. Failures become sentences that a person can act on.

const CONFIG_URL = "/explorer/config.json";

/** The page's configuration, with a default for everything that the router left out. */
export async function readConfig() {
  const response = await send(CONFIG_URL);
  if (!response.ok) {
    throw new Error(`The router answered ${response.status} for ${CONFIG_URL}. Is the explorer enabled in router.yaml?`);
  }
  const config = await jsonOf(response, CONFIG_URL);
  return { title: "Galleria", endpoint: "/graphql", planEndpoint: null, fetchesHeader: null, headers: {}, tabs: [], ...config };
}

/** Posts `request` as JSON and resolves to {status, body}, whatever the status: GraphQL puts its errors into the body. */
export async function postJson(url, request, headers = {}, signal = undefined) {
  const response = await send(url, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(request),
    signal,
  });
  return { status: response.status, body: await jsonOf(response, url) };
}

async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(`The router does not answer at ${url}. Is it running?`, { cause: error });
  }
}

async function jsonOf(response, url) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(`The router answered ${response.status} at ${url}, and not in JSON.`, { cause: error });
  }
}

/** Runs `request`: resolves to its result, or to an observable of its results (a subscription) or parts (`@defer`). */
export async function run(url, request, headers = {}) {
  const leaving = new AbortController();
  const response = await send(url, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9, multipart/mixed;q=0.8, text/event-stream;q=0.8",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(request),
    signal: leaving.signal,
  });
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) return observable(response.body, followEvents, leaving);
  if (type.startsWith("multipart/mixed")) return observable(response.body, followParts, leaving);
  return jsonOf(response, url);
}

/** What `follow` hands on of `body`; whoever unsubscribes is `leaving`. */
function observable(body, follow, leaving) {
  return {
    subscribe({ next, error, complete }) {
      follow(body, next).then(complete, (reason) => {
        if (reason.name !== "AbortError") error(reason);
      });
      return { unsubscribe: () => leaving.abort() };
    },
  };
}

/** Hands on the data of every event `next`, until `complete`. */
async function followEvents(body, next) {
  for await (const event of piecesOf(body, "\n\n")) {
    const lines = event.split("\n");
    if (lines.includes("event: complete")) return;
    const data = lines.find((line) => line.startsWith("data: "));
    if (data) next(JSON.parse(data.slice("data: ".length)));
  }
  throw new Error("The router ended the subscription. Run it again.");
}

/** Hands on the payload of every part, until the one that ends the answer. GraphiQL puts them together. */
async function followParts(body, next) {
  for await (const part of piecesOf(body, "\r\n---")) {
    if (part.startsWith("--")) return;
    const [, payload] = part.split("\r\n\r\n");
    if (payload) next(JSON.parse(payload));
  }
  throw new Error("The router ended the answer before its last part. Run it again.");
}

/** What of the text of `body` stands before, between and after `separator`, each piece as soon as it is whole. */
async function* piecesOf(body, separator) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const pieces = (text + value).split(separator);
    text = pieces.pop();
    yield* pieces;
  }
  yield text;
}
