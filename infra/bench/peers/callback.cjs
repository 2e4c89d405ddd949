// Verifies the same calls as Relay with Atlassian's framework and library for Node.
//
// Run `node callback.cjs FOLDER` in a folder with the app's descriptor; npm has installed the packages
// in FOLDER. It answers each line of JSON with a line:
//   {"secret", "clientKey", "workspaces", "requests": [{method, url, headers, body}]}  -> {"ready"}
//   {"way": "express"} or {"way": "jwt"}            -> {"wall", "cpu"} in seconds for all requests

"use strict";

const { createRequire } = require("node:module");
const { join } = require("node:path");
const { createInterface } = require("node:readline");
const { timingSafeEqual } = require("node:crypto");

const from = createRequire(join(process.argv[2], "package.json"));
const ace = from("atlassian-connect-express");
const express = from("express");
const inject = from("light-my-request");
const jwt = from("atlassian-jwt");

let given;
let app;

// The site is in memory, as Relay's is: neither calls a database.
ace.store.register("memory", () => ({
  get: async (name, clientKey) =>
    name === "clientInfo" && clientKey === given.clientKey
      ? { clientKey, sharedSecret: given.secret, key: "relay-operations", baseUrl: "https://acme.atlassian.net" }
      : null,
  set: async (name, value) => value,
  del: async () => undefined,
}));

function framework() {
  const made = express();
  made.set("env", "production");
  const quiet = { info() {}, warn() {}, error: console.error, debug() {} };
  const addon = ace(
    made,
    {
      config: {
        production: {
          store: { adapter: "memory" },
          localBaseUrl: "https://relay.example.com",
          port: 0,
        },
      },
    },
    quiet,
  );
  made.use(express.json());
  made.post("/workspaces/fetch", addon.authenticate(), (request, response) => {
    const found = given.workspaces.filter(({ id }) => request.body.ids.includes(id));
    response.json({ workspaces: found });
  });
  return made;
}

async function throughFramework() {
  for (const { method, url, headers, body } of given.requests) {
    const answer = await inject(app, { method, url, headers, payload: body });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.payload}`);
  }
}

async function throughLibrary() {
  for (const { method, url, headers } of given.requests) {
    const token = headers.authorization.slice("JWT ".length);
    const claims = jwt.decodeSymmetric(token, given.secret, "HS256");
    const expected = jwt.createQueryStringHash(jwt.fromMethodAndUrl(method, url), false, "");
    const now = Date.now() / 1000;
    if (claims.exp < now || !timingSafeEqual(Buffer.from(claims.qsh), Buffer.from(expected)))
      throw new Error("The token is not valid.");
  }
}

async function timed(work) {
  const started = process.hrtime.bigint();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: Number(process.hrtime.bigint() - started) / 1e9, cpu: (user + system) / 1e6 };
}

async function answer(asked) {
  if (asked.requests) {
    given = asked;
    app = app ?? framework();
    // The framework finishes its own set-up a moment later.
    await new Promise((done) => setTimeout(done, 200));
    return { ready: true };
  }
  return timed(asked.way === "express" ? throughFramework : throughLibrary);
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
