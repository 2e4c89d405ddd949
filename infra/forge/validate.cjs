// Prints what Atlassian's validator says of manifests, as JSON: a list of messages per file.
//
// node validate.cjs FOLDER MANIFEST…, where npm has installed @forge/manifest into FOLDER.

"use strict";

const { createRequire } = require("node:module");
const { join } = require("node:path");

const [folder, ...manifests] = process.argv.slice(2);
const { FullValidationProcessor } = createRequire(join(folder, "package.json"))("@forge/manifest");

async function messagesOf(processor, manifest) {
  const { success, errors = [] } = await processor.process(manifest);
  const messages = errors.map(({ level, line, message }) => `${level}, line ${line ?? "?"}: ${message}`);
  return success || messages.length > 0 ? messages : ["error: it is refused without a reason"];
}

async function main() {
  const processor = new FullValidationProcessor({});
  const said = {};
  for (const manifest of manifests) said[manifest] = await messagesOf(processor, manifest);
  process.stdout.write(JSON.stringify(said));
}

main();
