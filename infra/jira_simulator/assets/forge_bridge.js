// Forge's side of @forge/bridge, which the platform puts into a page before the page's own scripts.
(() => {
  const waiting = new Map();

  function ask(what, details = {}) {
    const id = crypto.randomUUID();
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    parent.postMessage({ ...details, ask: what, id }, "*");
    return answer;
  }

  addEventListener("message", ({ source, data }) => {
    if (source !== parent) return;
    waiting.get(data.id)?.(data.answer);
    waiting.delete(data.id);
  });

  // As documented, the page gets JSON of a successful answer, and of any other only an error.
  async function invoke({ method, path, headers, body }) {
    const answer = await ask("request", { call: { method, path, headers, body } });
    const isPassedOn = answer.status >= 200 && answer.status < 300 && answer.body !== null;
    if (!isPassedOn) throw new Error("The remote did not answer with JSON and a status of 2xx.");
    return { success: true, payload: { status: answer.status, headers: {}, body: answer.body } };
  }

  async function enableTheming() {
    document.documentElement.dataset.colorMode = await ask("theme");
  }

  const calls = { invoke, enableTheming };
  window.__bridge = { callBridge: (name, details) => calls[name](details) };
  // For files that were not built with @forge/bridge.
  window.relayForge = {
    request: (method, path, body) => ask("request", { call: { method, path, body } }),
  };
  ask("theme").then((mode) => { document.documentElement.dataset.colorMode = mode; });
  // An admin page has the whole height.
  ask("sizeToParent");
})();
