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
