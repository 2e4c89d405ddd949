"""The pictures are small, and each is shown in a document."""

from pathlib import Path

import pytest

from infra.pictures.__main__ import BYTES_MAX, FOLDER

ROOT = Path(__file__).parents[2]
PICTURES = sorted(FOLDER.iterdir())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_and_shown(picture: Path) -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert picture.stat().st_size <= BYTES_MAX
    assert any(f"pictures/{picture.name})" in document.read_text() for document in documents)
