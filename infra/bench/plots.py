"""Plots as SVG: bars beside each other, and lines over a size that grows by factors."""

from collections.abc import Iterator, Sequence
from math import log10
from xml.sax.saxutils import escape

from infra.bench.result import Bar, Bars, Lines, number

_WIDTH = 760
_LABELS = 330
_VALUES = 110
_BAR = 22
_GAP = 8
_TOP = 46
_OURS, _OTHERS, _INK = "#1f6feb", "#8b949e", "#24292f"
_COLORS = (_OURS, "#bf5700", "#1a7f37")
_STYLE = f'font-family="sans-serif" font-size="13" fill="{_INK}"'


def bars_svg(plot: Bars) -> str:
    """The medians, with a thin line from the lower to the upper quartile."""
    height = _TOP + len(plot.bars) * (_BAR + _GAP) + _GAP
    most = max(max(one.high, one.value) for one in plot.bars)
    scale = (_WIDTH - _LABELS - _VALUES) / most if most else 0
    drawn = [
        part
        for place, one in enumerate(plot.bars)
        for part in _bar(one, _TOP + place * (_BAR + _GAP), scale)
    ]
    return _svg(f"{plot.title} ({plot.unit})", height, drawn)


def lines_svg(plot: Lines) -> str:
    height, left, right, bottom = 300, 70, _WIDTH - 150, 240
    most = max(value for series in plot.series.values() for value in series) * 1.15 or 1
    low, high = log10(plot.x[0]), log10(plot.x[-1])
    wide = (right - left) / ((high - low) or 1)

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (log10(x) - low) * wide, bottom - y / most * (bottom - _TOP - 10)

    drawn = [f'<path d="M{left} {_TOP} V{bottom} H{right}" fill="none" stroke="{_INK}"/>']
    for x in plot.x:
        across, down = place(x, 0)
        drawn.append(_text(across, down + 20, number(x), "middle"))
    drawn.append(_text((left + right) / 2, bottom + 42, plot.across, "middle"))
    for color, (name, values) in zip(_COLORS, plot.series.items(), strict=False):
        points = [place(x, y) for x, y in zip(plot.x, values, strict=True)]
        drawn += _line(points, values, name, color)
    return _svg(f"{plot.title} ({plot.unit})", height, drawn)


def _bar(one: Bar, y: int, scale: float) -> Iterator[str]:
    color = _OURS if one.ours else _OTHERS
    length = max(one.value * scale, 1)
    middle = y + _BAR / 2
    yield _text(_LABELS - 10, middle + 4, one.label, "end")
    yield f'<rect x="{_LABELS}" y="{y}" width="{length:.1f}" height="{_BAR}" fill="{color}"/>'
    if one.low < one.high:
        low, high = (_LABELS + value * scale for value in (one.low, one.high))
        yield f'<path d="M{low:.1f} {middle} H{high:.1f}" stroke="{_INK}" stroke-width="2"/>'
    end = _LABELS + max(length, one.high * scale)
    yield _text(end + 8, middle + 4, number(one.value), "start")


def _line(
    points: Sequence[tuple[float, float]], values: Sequence[float], name: str, color: str
) -> Iterator[str]:
    path = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    yield f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"/>'
    for (x, y), value in zip(points, values, strict=True):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>'
        yield _text(x, y - 10, number(value), "middle")
    x, y = points[-1]
    yield _text(x + 12, y + 4, name, "start")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, height: int, drawn: Sequence[str]) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img" {_STYLE}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
        f'<text x="16" y="26" font-weight="bold">{escape(title)}</text>',
        *drawn,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
