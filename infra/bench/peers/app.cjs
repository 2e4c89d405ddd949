// An app with the action fetchWorkspaces, as Atlassian's framework documents it: Express, and the sites'
// settings in the framework's own DynamoDB store, which reads them at every call.

"use strict";

// `from` requires npm's packages, `storeOptions` go to the store's client, `workspaces()` returns the site's.
module.exports = function app(from, storeOptions, workspaces) {
  const ace = from("atlassian-connect-express");
  const express = from("express");
  const made = express();
  made.set("env", "production");
  const quiet = { info() {}, warn() {}, error: console.error, debug() {} };
  const store = { adapter: "dynamodb", ...storeOptions };
  const production = { store, localBaseUrl: "https://relay.example.com", port: 0 };
  const addon = ace(made, { config: { production } }, quiet);
  made.use(express.json());
  made.post("/workspaces/fetch", addon.authenticate(), (request, response) => {
    const found = workspaces().filter(({ id }) => request.body.ids.includes(id));
    response.json({ workspaces: found });
  });
  return made;
};
