// Entry of index.cdn.html, where nothing was built: the packages come from the CDN, so they may be out of reach.
try {
  await import("graphiql/setup-workers/esm.sh"); // Monaco's web workers, as GraphiQL loads them from this CDN
  const { openPage } = await import("./page.js");
  await openPage(document.getElementById("explorer"));
} catch {
  document.getElementById("notice").classList.add("explorer-notice-failed");
  document.getElementById("explorer").replaceChildren(outOfReach());
}

function outOfReach() {
  const message = document.createElement("p");
  message.className = "explorer-message";
  message.setAttribute("role", "alert");
  message.textContent =
    "The CDN is out of reach, so the explorer cannot be shown here. The graph itself answers at /graphql without it.";
  return message;
}
