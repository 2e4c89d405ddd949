"""The check of the Forge manifest, by Atlassian's own validator and by what that leaves out.

`python -m infra.forge` makes manifests of the repository's descriptor, as `relay forge manifest`
does, and checks them. The validator is the npm package `@forge/manifest`, at the version that
`package.json` pins, with `tslib`, which it needs and does not name. Its licence does not let others
hand it on, so npm fetches it into `.relay/`.

To take another version, change `package.json`, and in this folder run:

    npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
"""
