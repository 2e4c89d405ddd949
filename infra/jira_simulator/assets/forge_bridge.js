// Stands for @forge/bridge: the page's calls go to the app's remote through Forge.
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

  window.relayForge = {
    request: (method, path, body) => ask("request", { call: { method, path, body } }),
  };
  ask("theme").then((mode) => { document.documentElement.dataset.colorMode = mode; });
})();
