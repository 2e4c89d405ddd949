"""Draws the dashboard's widgets, each within a frame of the picture."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.lambdas.dashboard import Line, lines, log_groups
from infra.pictures.sample_metrics import HOURS, IN_ALARM, cold_starts, values
from infra.pictures.svg import FAINT, GRID, INK, box, number, path, text

PALETTE = [
    "#1f77b4",
    "#ff7f0e",
    "#2ca02c",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
]
ALARM, OK = "#d13212", "#1d8102"
TITLE_HEIGHT, LEGEND_LINE, CHARACTER = 26, 14, 5.6
ALARMS_PER_ROW = 7
LOG_COLUMNS, LOG_ROW = (0, 430, 640, 850), 22


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.y + self.height


def draw(widget: dict[str, Any], frame: Frame) -> list[str]:
    """The widget's box, title and content."""
    properties = widget["properties"]
    inside = Frame(
        frame.x + 12, frame.y + TITLE_HEIGHT, frame.width - 24, frame.height - TITLE_HEIGHT - 6
    )
    content = {"metric": _metrics, "alarm": _alarms, "log": _table}[widget["type"]]
    return [
        box(frame.x, frame.y, frame.width, frame.height, "#fff", "#d5dbdb"),
        text(inside.x, frame.y + 18, properties["title"], 12, INK),
        *content(widget, inside),
    ]


def _metrics(widget: dict[str, Any], frame: Frame) -> list[str]:
    drawn = lines(widget)
    colors = [line.color or PALETTE[at % len(PALETTE)] for at, line in enumerate(drawn)]
    legend, height = _legend(drawn, colors, frame)
    plot = Frame(frame.x + 36, frame.y + 6, frame.width - 40, frame.height - 26 - height)
    series = [values(line) for line in drawn]
    marks = widget["properties"].get("annotations", {}).get("horizontal", [])
    highest = max([one or 0 for row in series for one in row] + [m["value"] for m in marks])
    top = _round_up(highest)
    parts = _axes(plot, top)
    for row, color in zip(series, colors, strict=True):
        parts += _curves(row, color, plot, top)
    for mark in marks:
        y = plot.bottom - plot.height * mark["value"] / top
        parts.append(path([(plot.x, y), (plot.x + plot.width, y)], ALARM, ' stroke-dasharray="4"'))
        parts.append(text(plot.x + plot.width, y + 12, mark["label"], fill=ALARM, anchor="end"))
    return parts + legend


def _axes(plot: Frame, top: float) -> list[str]:
    parts = []
    for part in (0, 0.5, 1):
        y = plot.bottom - plot.height * part
        parts.append(path([(plot.x, y), (plot.x + plot.width, y)], GRID))
        parts.append(text(plot.x - 4, y + 3, f"{top * part:g}", anchor="end"))
    for hour in range(0, HOURS, 6):
        x = plot.x + plot.width * hour / HOURS
        parts.append(
            text(x, plot.bottom + 13, f"{hour:02}:00", anchor="middle" if hour else "start")
        )
    return parts


def _curves(row: Sequence[float | None], color: str, plot: Frame, top: float) -> list[str]:
    """One curve for each run of values; a run of one is a dot."""
    step = plot.width / len(row)
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in enumerate(row):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((plot.x + at * step, plot.bottom - plot.height * value / top))
    parts = [path(run, color, ' stroke-width="1.5"') for run in runs if len(run) > 1]
    for [(x, y)] in (run for run in runs if len(run) == 1):
        parts.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="2" fill="{color}"/>')
    return parts


def _legend(drawn: Sequence[Line], colors: Sequence[str], frame: Frame) -> tuple[list[str], int]:
    """The labels below the plot, and their height."""
    places: list[tuple[float, int]] = []
    x, row = 0.0, 0
    for line in drawn:
        width = 20 + len(line.label) * CHARACTER
        if x and x + width > frame.width:
            x, row = 0.0, row + 1
        places.append((x, row))
        x += width
    height = (row + 1) * LEGEND_LINE
    parts = []
    for (left, at), line, color in zip(places, drawn, colors, strict=True):
        y = frame.bottom - height + at * LEGEND_LINE
        parts.append(box(frame.x + left, y, 8, 8, color))
        parts.append(text(frame.x + left + 12, y + 8, line.label))
    return parts, height


def _alarms(widget: dict[str, Any], frame: Frame) -> list[str]:
    names = [alarm.removesuffix(".Arn") for alarm in widget["properties"]["alarms"]]
    names.sort(key=lambda name: name not in IN_ALARM)
    width = frame.width / ALARMS_PER_ROW
    height = frame.height / math.ceil(len(names) / ALARMS_PER_ROW)
    parts = []
    for at, name in enumerate(names):
        x, y = frame.x + at % ALARMS_PER_ROW * width, frame.y + at // ALARMS_PER_ROW * height
        color, state = (ALARM, "In alarm") if name in IN_ALARM else (OK, "OK")
        parts.append(box(x, y, width - 6, height - 5, "#fff", color))
        parts.append(box(x, y, 5, height - 5, color))
        parts.append(text(x + 10, y + height / 2, name.removesuffix("Alarm"), 9, INK))
        parts.append(text(x + width - 12, y + height / 2, state, 9, color, "end"))
    return parts


def _table(widget: dict[str, Any], frame: Frame) -> list[str]:
    query = widget["properties"]["query"]
    found = {group: cold_starts(group) for group in log_groups(query)}
    rows = [["@log", *re.findall(r" as (\w+)", query.partition("| stats ")[2])]]
    rows += [
        [group, *map(str, found[group])] for group in sorted(found, key=found.__getitem__)[::-1]
    ]
    parts = []
    for at, row in enumerate(rows[: int(frame.height // LOG_ROW)]):
        y = frame.y + (at + 1) * LOG_ROW - 6
        parts += [
            text(frame.x + x, y, cell, fill=INK if at else FAINT)
            for x, cell in zip(LOG_COLUMNS, row, strict=True)
        ]
        parts.append(path([(frame.x, y + 6), (frame.x + frame.width, y + 6)], GRID))
    return parts


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten; at least 1."""
    power: float = 10 ** math.floor(math.log10(max(value, 1)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value)
