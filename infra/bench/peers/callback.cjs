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
const inject = from("light-my-request");
const jwt = from("atlassian-jwt");

let given;
let app;
let reads = 0; // requests to DynamoDB
const answers = new Map(); // DynamoDB's, by request

// Answers the store's requests, as the SDK has prepared and signed them, without a network.
const memory = {
  async handle({ headers, body }) {
    reads += 1;
    const asked = headers["x-amz-target"] + body;
    if (!answers.has(asked)) answers.set(asked, Buffer.from(firstAnswer(JSON.parse(body))));
    const type = { "content-type": "application/x-amz-json-1.0" };
    return { response: { statusCode: 200, headers: type, body: answers.get(asked) } };
  },
};

// The site's settings as DynamoDB has them, if they are asked for; the store asks for its tables, too.
function firstAnswer({ Key: key }) {
  if (key?.clientKey.S !== given.clientKey || key.key.S !== "clientInfo") return "{}";
  const site = { clientKey: given.clientKey, sharedSecret: given.secret, key: "relay-operations" };
  const stored = JSON.stringify({ ...site, baseUrl: "https://acme.atlassian.net" });
  return JSON.stringify({ Item: { ...key, val: { S: stored } } });
}

async function throughFramework() {
  reads = 0;
  for (const { method, url, headers, body } of given.requests) {
    const answer = await inject(app, { method, url, headers, payload: body });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.payload}`);
  }
  if (reads !== given.requests.length) throw new Error(`${reads} requests to DynamoDB`);
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
    app = app ?? require("./app.cjs")(from, { requestHandler: memory }, () => given.workspaces);
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
