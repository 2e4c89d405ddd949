// Prints the messages of Atlassian's validator as JSON: a list per manifest.
//
// Run `node validate.cjs FOLDER MANIFEST…`; npm has installed @forge/manifest in FOLDER.

"use strict";

const { createRequire } = require("node:module");
const { join } = require("node:path");

const [folder, ...manifests] = process.argv.slice(2);
const { FullValidationProcessor } = createRequire(join(folder, "package.json"))("@forge/manifest");

async function messagesOf(processor, manifest) {
  const { success, errors = [] } = await processor.process(manifest);
  const messages = errors.map(({ level, line, message }) => `${level}, line ${line ?? "?"}: ${message}`);
  return success || messages.length > 0 ? messages : ["error: the validator gave no reason"];
}

async function main() {
  const processor = new FullValidationProcessor({});
  const reported = {};
  for (const manifest of manifests) reported[manifest] = await messagesOf(processor, manifest);
  process.stdout.write(JSON.stringify(reported));
}

main();
