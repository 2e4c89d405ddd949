"""Where the peers are installed, apart from all that is Relay's. `make` fetches the Python ones."""

from infra.local.paths import TOOLS

PYTHON = TOOLS / "bench" / "bin" / "python"
NODE_CACHE = TOOLS / "bench-node"
