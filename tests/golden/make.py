"""Writes the dump of the present version: `python -m tests.golden.make`, before its release.

It runs in pytest, as it needs the emulated AWS and the simulator of the tests.
"""

import subprocess
import sys

import pytest

from relay import VERSION
from tests.golden.dump import FOLDER, data_keys, write
from tests.golden.story import VARIABLES, tell
from tests.golden.template import write_kept
from tests.integration.relay_stage import Start
from tests.integration.simulator_stage import Simulator


@pytest.mark.usefixtures("every_shard")
def test_make(start: Start, simulator: Simulator) -> None:
    with data_keys() as keys:
        relay = start(simulator=simulator, **VARIABLES)
        told = tell(relay, simulator)
        write(relay.aws, FOLDER / VERSION, keys, told.facts, told.places)
    write_kept(FOLDER / VERSION)


if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", "-q", __file__]))
