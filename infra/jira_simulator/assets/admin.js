// Jira's side of an app's page in a frame: answers what the frame asks for. It runs before the
// frame exists, so that it hears the frame's first words.
const area = location.pathname;
const frame = () => document.querySelector("iframe");

const ANSWERS = {
  token: async () => (await post("token")).token,
  theme: () => document.documentElement.dataset.colorMode,
  resize: ({ height }) => { frame().height = height; },
  sizeToParent: () => { frame().classList.add("whole"); },
  reload: () => location.reload(),
  request: ({ call }) => post("request", call),
};

async function post(what, body = {}) {
  const answer = await fetch(`${area}/${what}${location.search}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer.json();
}

addEventListener("message", async ({ source, origin, data }) => {
  if (source !== frame()?.contentWindow || origin !== new URL(frame().src).origin) return;
  if (!Object.hasOwn(ANSWERS, data.ask)) return;
  source.postMessage({ id: data.id, answer: await ANSWERS[data.ask](data) }, origin);
});
