"""The CloudFormation templates in docs/operator.md are valid."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.template import ROOT

OPERATOR = (ROOT / "docs/operator.md").read_text("utf-8")
LINT = Path(sys.executable).with_name("cfn-lint")
TEMPLATES = re.findall(r"```yaml\n(AWSTemplateFormatVersion.*?)```", OPERATOR, flags=re.DOTALL)


def test_there_are_templates() -> None:
    assert len(TEMPLATES) == 2


@pytest.mark.parametrize("text", TEMPLATES, ids=["domain", "firewall"])
def test_a_template_is_valid(text: str, tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(text, "utf-8")
    command = [str(LINT), "--regions", "us-east-1", "--", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
