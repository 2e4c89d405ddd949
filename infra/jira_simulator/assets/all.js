// The part of Atlassian's all.js that Relay's kind of page uses.
(() => {
  const jira = new URL(new URLSearchParams(location.search).get("xdm_e")).origin;
  const options = document.currentScript.dataset.options ?? "";
  const waiting = new Map();

  function ask(what, details = {}) {
    const id = crypto.randomUUID();
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    parent.postMessage({ ...details, ask: what, id }, jira);
    return answer;
  }

  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || origin !== jira) return;
    waiting.get(data.id)?.(data.answer);
    waiting.delete(data.id);
  });

  async function initializeTheming() {
    const mode = await ask("theme");
    document.documentElement.dataset.colorMode = mode;
    document.documentElement.dataset.theme = "dark:dark light:light spacing:spacing typography:typography";
  }

  window.AP = {
    context: {
      getToken(callback) {
        const token = ask("token");
        if (callback) token.then(callback);
        return token;
      },
    },
    theming: { initializeTheming },
    navigator: { reload: () => ask("reload") },
    resize: (width, height) => ask("resize", { height: String(height).replace("px", "") }),
    sizeToParent: () => ask("sizeToParent"),
  };
  if (options.includes("sizeToParent:true")) AP.sizeToParent();
})();
