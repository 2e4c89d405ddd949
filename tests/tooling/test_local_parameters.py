"""What the user of the local stack may choose."""

import pytest

from infra.local.failure import StackFailure
from infra.local.parameters import VARIABLE, chosen_parameters


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ("", {}),
        ("  ", {}),
        (" SnapStart=on  LogLevel=DEBUG\n", {"SnapStart": "on", "LogLevel": "DEBUG"}),
        ("LogLevel=DEBUG LogLevel=INFO", {"LogLevel": "INFO"}),
        ("ForgeAppId=a=b", {"ForgeAppId": "a=b"}),
    ],
)
def test_pairs_are_separated_by_spaces(
    monkeypatch: pytest.MonkeyPatch, given: str, chosen: dict[str, str]
) -> None:
    monkeypatch.setenv(VARIABLE, given)
    assert chosen_parameters() == chosen


@pytest.mark.parametrize("given", ["SnapStart", "SnapStart=", "=on", "snapstart=on", "LogLevel:x"])
def test_what_sam_would_ignore_or_not_understand_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(StackFailure, match=VARIABLE):
        chosen_parameters()
