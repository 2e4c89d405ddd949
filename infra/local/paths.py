"""Where the project and its tools are. The Makefile fetches the tools into `.relay/`."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".relay"

UV = TOOLS / "uv" / "bin" / "uv"
SAM = TOOLS / "sam" / "bin" / "sam"
MINISTACK_PYTHON = TOOLS / "ministack" / "bin" / "python"

BUILDS = TOOLS / "builds"
# Where `make up` keeps its stack; tests set another place.
STATE = Path(os.environ.get("RELAY_STATE", TOOLS))
STACK_FOLDER = STATE / "stack"
STACK_FILE = STATE / "stack.json"
# The same for a shell: what calls of the API need.
VARIABLES_FILE = STATE / "stack.env"
