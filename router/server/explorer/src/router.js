// The router's answers. Failures become sentences that a person can act on.

const CONFIG_URL = "/explorer/config.json";

/** The page's configuration, with a default for everything that the router left out. */
export async function readConfig() {
  const response = await send(CONFIG_URL);
  if (!response.ok) {
    throw new Error(`The router answered ${response.status} for ${CONFIG_URL}. Is the explorer enabled in router.yaml?`);
  }
  const config = await jsonOf(response, CONFIG_URL);
  return { title: "Galleria", endpoint: "/graphql", planEndpoint: null, headers: {}, tabs: [], ...config };
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

/** Runs `request`: resolves to its result, or for a subscription to an observable of its results. */
export async function run(url, request, headers = {}) {
  const leaving = new AbortController();
  const response = await send(url, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9, text/event-stream;q=0.8",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(request),
    signal: leaving.signal,
  });
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return jsonOf(response, url);
  return {
    subscribe({ next, error, complete }) {
      followEvents(response.body, next).then(complete, (reason) => {
        if (reason.name !== "AbortError") error(reason);
      });
      return { unsubscribe: () => leaving.abort() };
    },
  };
}

/** Hands on the data of every event `next`, until `complete`. */
async function followEvents(body, next) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The router ended the subscription. Run it again.");
    const events = (text + value).split("\n\n");
    text = events.pop();
    for (const event of events) {
      const lines = event.split("\n");
      if (lines.includes("event: complete")) return;
      const data = lines.find((line) => line.startsWith("data: "));
      if (data) next(JSON.parse(data.slice("data: ".length)));
    }
  }
}
