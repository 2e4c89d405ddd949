"""Checks the Forge manifest, with Atlassian's own validator and additional rules.

`python -m infra.forge` generates manifests from the repository's descriptor, as `relay forge
manifest` does, and checks them. The validator is the npm package `@forge/manifest`, at the version
in `package.json`, with its undeclared dependency `tslib`. Its licence does not allow
redistribution, so npm fetches it into `.relay/`.

To use another version, change `package.json` and run in this folder:

    npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
"""
