"""Draws the dashboard of template.yaml with sample values: `python -m infra.pictures.dashboard`.

The picture is an SVG, because its text stays sharp and a change of the dashboard shows in its diff.
"""

from typing import Any

from infra.lambdas.dashboard import body
from infra.lambdas.template import ROOT
from infra.pictures.chart import Frame, draw
from infra.pictures.svg import box, picture

PATH = ROOT / "docs/pictures/dashboard.svg"
COLUMN, ROW, GAP, COLUMNS = 52, 34, 8, 24


def render() -> str:
    """The picture as SVG."""
    widgets = body()["widgets"]
    width = COLUMNS * COLUMN + GAP
    height = max(widget["y"] + widget["height"] for widget in widgets) * ROW + GAP
    parts = [box(0, 0, width, height, "#f2f3f3")]
    for widget in widgets:
        parts += draw(widget, _frame(widget))
    return picture(width, height, parts)


def _frame(widget: dict[str, Any]) -> Frame:
    return Frame(
        widget["x"] * COLUMN + GAP,
        widget["y"] * ROW + GAP,
        widget["width"] * COLUMN - GAP,
        widget["height"] * ROW - GAP,
    )


def main() -> None:
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(render(), "utf-8")
    print(f"{PATH.relative_to(ROOT)}: {PATH.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
