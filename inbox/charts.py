"""Bars as SVG wants them: places and sizes, in the units of a drawing of 520 × 150."""

from math import ceil, log10

WIDTH, LEFT, TOP, BOTTOM = 520, 36, 20, 128


def bars_of(counts, *, places=None):
    """{bars: [{x, y, width, height, count}], grid: [(y, label)], ticks: [(x, label)]} for a count per place, of which the
    first may be known only."""
    places = places or len(counts)
    top = round_up(max(counts, default=0))
    step = (WIDTH - LEFT) / places
    return {
        "bars": [
            {
                "x": round(LEFT + place * step + 2, 1),
                "y": round(BOTTOM - count / top * (BOTTOM - TOP), 1),
                "width": round(step - 4, 1),
                "height": round(count / top * (BOTTOM - TOP), 1),
                "count": count,
            }
            for place, count in enumerate(counts)
        ],
        "grid": [(BOTTOM - share * (BOTTOM - TOP), round(top * share)) for share in (0.5, 1)],
        "ticks": [(round(LEFT + place * step, 1), place) for place in range(0, places, 4)],
    }


def round_up(most):
    """The next number that an axis may end at: 2, 4, 10, 20, 40, 100 …"""
    if most <= 2:
        return 2
    unit = 10 ** (ceil(log10(most)) - 1)
    return next(unit * times for times in (1, 2, 4, 6, 8, 10) if unit * times >= most)
