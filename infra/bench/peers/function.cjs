// The app as a function on Lambda, behind the usual adapter.
//
// Run `node function.cjs FOLDER` in a folder with the app's descriptor; npm has installed the packages in
// FOLDER. Lambda's own client for Node compiles C++ when npm installs it, so this file requests the events
// itself, once everything is loaded, as that client does; it loads less than that.

"use strict";

const { get } = require("node:http");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const from = createRequire(join(process.argv[2], "package.json"));
const adapter = from("@codegenie/serverless-express");

exports.handler = adapter({ app: require("./app.cjs")(from, {}, () => []) });

// There is no event: Lambda's API leaves the request open, as between invocations.
get(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next`);
