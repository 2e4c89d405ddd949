// How the page reaches Relay under Forge: by Forge's proxy, which adds its invocation token.
import { invokeRemote, view } from "@forge/bridge";

// Forge passes on neither an error's status nor an answer without a body, so Relay wraps both.
const headers = { "x-relay-envelope": "1" };

async function request(method, path, body) {
  const answer = await invokeRemote({ method, path, headers, ...(body && { body }) });
  // Not wrapped: Relay could not verify the token, or something else answered.
  const own = Number.isInteger(answer?.body?.status) ? answer.body : answer;
  if (!Number.isInteger(own?.status)) throw new Error("Relay did not answer.");
  return { status: own.status, body: own.body ?? null };
}

window.relayForge = { request };
// Without it, the page is light.
view.theme.enable().catch(() => {});
