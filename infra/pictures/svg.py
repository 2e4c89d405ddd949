"""Parts of an SVG picture."""

from collections.abc import Iterable
from html import escape

INK, FAINT, GRID = "#16191f", "#687078", "#e3e6e8"


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel, so that files are small."""
    return f"{value:.1f}".removesuffix(".0")


def text(
    x: float, y: float, content: str, size: int = 10, fill: str = FAINT, anchor: str = "start"
) -> str:
    bold = ' font-weight="700"' if size > 11 else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{size}" fill="{fill}"'
        f' text-anchor="{anchor}"{bold}>{escape(content)}</text>'
    )


def box(x: float, y: float, width: float, height: float, fill: str, stroke: str = "none") -> str:
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
        f' rx="3" fill="{fill}" stroke="{stroke}"/>'
    )


def path(points: Iterable[tuple[float, float]], color: str, style: str = "") -> str:
    way = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path d="M{way}" stroke="{color}" fill="none"{style}/>'


def picture(width: int, height: int, parts: Iterable[str]) -> str:
    inside = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' font-family="Helvetica, Arial, sans-serif">\n{inside}\n</svg>\n'
    )
