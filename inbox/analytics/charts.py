"""The geometry of charts, in the units of their own view box; templates draw it, stylesheets colour it."""

from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil, log10

from django.utils.formats import date_format
from django.utils.http import urlencode

from inbox.analytics.period import next_month

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass
class Axis:
    """Its steps are round numbers: (y, label)."""

    most: float
    top: float
    bottom: float
    label: object = "{:,.0f}".format
    steps: list = field(default_factory=list)

    def __post_init__(self):
        step = step_for(self.most)
        count = max(1, ceil(self.most / step))
        self.most = count * step
        self.steps = [(self.y(at * step), self.label(at * step)) for at in range(count + 1)]

    def y(self, value):
        return round(self.bottom - (self.bottom - self.top) * value / self.most, 1)


def step_for(most):
    """A round step of which three to five reach `most`."""
    if most <= 4:
        return 1
    size = 10 ** int(log10(most / 4))
    return next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor * 4 >= most)


def labels_of(period, xs):
    """(x, words) under some of the bars, as many as can be read."""
    every = max(1, ceil(len(xs) / (12 if period.unit == "month" else 8)))
    zone = period.environment.zone
    styles = {"hour": "H:i", "day": "j M", "month": "M Y" if period.days > 370 else "M"}
    bars = list(zip(period.bars, xs, strict=True))
    return [(x, date_format(bar.astimezone(zone), styles[period.unit])) for bar, x in bars[::every]]


def words_of(period, bar):
    zone = period.environment.zone
    styles = {"hour": "D j M, H:i", "day": "D j M", "month": "F Y"}
    return date_format(bar.astimezone(zone), styles[period.unit])


def query_of(asking, bar):
    """The query of an address that asks for what one bar of a chart counts; None for an hour, which cannot be asked for."""
    period = asking.period
    if period.unit == "hour":
        return None
    day = period.environment.day_of(bar)
    last = day if period.unit == "day" else next_month(day) - timedelta(days=1)
    since, until = max(day, period.first_day), min(last, period.last_day)
    return f"?{urlencode(asking.query(range='custom', since=since, until=until))}"


def volume(numbers, *, width=1080, left=44, top=16, bottom=196):
    """Two bars for each time: in and out."""
    period, series = numbers.period, numbers.series
    axis = Axis(max((max(c["inbound"], c["outbound"]) for _, c in series), default=0) or 1, top, bottom)
    slot = (width - left) / len(series)
    bar = round(min(24, slot * 0.33), 1)
    columns = []
    for at, (since, counts) in enumerate(series):
        middle = left + slot * (at + 0.5)
        columns.append(
            {
                "name": words_of(period, since),
                "query": query_of(numbers.asking, since),
                "counts": counts,
                "middle": round(middle, 1),
                "bars": [
                    {
                        "kind": kind,
                        "x": round(x, 1),
                        "y": axis.y(counts[name]),
                        "width": bar,
                        "height": round(bottom - axis.y(counts[name]), 1),
                    }
                    for kind, name, x in (
                        ("in", "inbound", middle - bar - 1),
                        ("out", "outbound", middle + 1),
                    )
                ],
            }
        )
    return {
        "axis": axis,
        "columns": columns,
        "labels": labels_of(period, [column["middle"] for column in columns]),
        "left": left,
        "width": width,
        "bottom": bottom,
    }


def answers(numbers, *, width=520, left=40, top=12, bottom=186):
    """Lines of the median and of nine in ten, in minutes; broken where nobody answered."""
    period, series = numbers.period, numbers.first_series
    most = max((times.p90 / 60 for _, times in series if times.count), default=0) or 1
    unit, name = (60, "hours") if most > 180 else (1, "minutes")
    axis = Axis(most / unit, top, bottom, label="{:g}".format)
    slot = (width - left) / max(1, len(series) - 1)
    xs = [round(left + slot * at, 1) for at in range(len(series))]
    lines = []
    for kind in ("p90", "median"):
        pieces, piece = [], []
        for x, (_, times) in zip(xs, series, strict=True):
            if times.count:
                piece.append((x, axis.y(getattr(times, kind) / 60 / unit)))
            elif piece:
                pieces, piece = [*pieces, piece], []
        pieces = [*pieces, piece] if piece else pieces
        lines.append(
            {
                "kind": kind,
                "pieces": [" ".join(f"{x},{y}" for x, y in piece) for piece in pieces if len(piece) > 1],
                "points": [piece[0] for piece in pieces if len(piece) == 1],
            }
        )
    return {
        "axis": axis,
        "unit": name,
        "lines": lines,
        "labels": labels_of(period, xs),
        "rows": [(words_of(period, bar), query_of(numbers.asking, bar), times) for bar, times in series],
        "left": left,
        "width": width,
        "bottom": bottom,
    }


def week(numbers, *, width=520, left=36):
    """A cell per hour of the week, darker where more is written; hours in which nobody ever writes are left out."""
    found = numbers.week
    hours = sorted({hour for (_, hour), count in found.items() if count}) or [9, 17]
    hours = range(min(hours), max(hours) + 1)
    most = max(found.values(), default=0)
    slot = (width - left) / len(hours)
    rows = [
        {
            "name": name,
            "y": at * 26,
            "middle": at * 26 + 16,
            "cells": [
                {
                    "x": round(left + slot * place, 1),
                    "width": round(slot - 2, 1),
                    "hour": hour,
                    "count": found.get((at + 1, hour), 0),
                    "opacity": f"{max(0.05, found.get((at + 1, hour), 0) / most):.2f}" if most else "0.05",
                }
                for place, hour in enumerate(hours)
            ],
        }
        for at, name in enumerate(WEEKDAYS)
    ]
    every = 2 if len(hours) > 12 else 1
    labels = [(round(left + slot * (place + 0.5), 1), hour) for place, hour in enumerate(hours)][::every]
    return {"rows": rows, "hours": hours, "labels": labels, "most": most, "height": 7 * 26 + 20}
