"""Charts as SVG, readable on light and on dark pages: bars of ratios, and lines over sizes."""

import dataclasses
import html
import math

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.paper { fill: #ffffff }
.grid { stroke: #d0d7de; stroke-width: 1 }
.bound { stroke: #cf222e; stroke-width: 2 }
.c0 { color: #0969da } .c1 { color: #bc4c00 } .c2 { color: #1a7f37 } .c3 { color: #8250df }
.bar, .dot { fill: currentColor }
.line { fill: none; stroke: currentColor; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.paper { fill: #0d1117 }
.grid { stroke: #30363d }
.bound { stroke: #ff7b72 }
.c0 { color: #58a6ff } .c1 { color: #f0883e } .c2 { color: #3fb950 } .c3 { color: #bc8cff }
}
"""


@dataclasses.dataclass
class Chart:
    title: str
    text: str


@dataclasses.dataclass
class Bar:
    """A value with its name; the bound, where there is one, is drawn as a mark."""

    name: str
    value: float
    bound: float | None = None


def number(value):
    """Three digits, without zeros that say nothing."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{extra}>{html.escape(words)}</text>'


def line(x1, y1, x2, y2, name):
    return f'<path class="{name}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def page(title, width, height, parts):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' role="img">\n<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n'
            f'<rect class="paper" width="{width}" height="{height}"/>')
    return Chart(title, "\n".join([head, text(16, 26, title, extra=' class="title"'), *parts, "</svg>"]) + "\n")


def bars(title, unit, groups):
    """Bars from 1 on a logarithmic scale, in groups by name; `unit` says what they are of."""
    all_bars = [bar for group in groups.values() for bar in group]
    values = [value for bar in all_bars for value in (bar.value, bar.bound) if value is not None]
    low = min(-1, math.floor(math.log10(min(values))))
    high = max(1, math.ceil(math.log10(max(values))))
    left, width, step, top = 330, 860, 24, 44
    span = width - left - 70
    named = [name for name in groups if name]
    height = top + step * (len(all_bars) + len(named)) + 56
    bottom = height - 48

    def x(value):
        return left + (math.log10(value) - low) / (high - low) * span

    parts = []
    for power in range(low, high + 1):
        parts += [line(x(10**power), top, x(10**power), bottom, "grid"),
                  text(x(10**power), bottom + 16, number(10.0**power), "middle")]
    y = top + 4
    for place, (name, group) in enumerate(groups.items()):
        if name:
            parts.append(text(16, y + 14, name, extra=' class="title"'))
            y += step
        for bar in group:
            parts += [text(left - 8, y + 14, bar.name, "end"),
                      f'<rect class="bar c{place % 4}" x="{x(min(bar.value, 1)):.1f}" y="{y + 3}" height="14"'
                      f' width="{max(1, abs(x(bar.value) - x(1))):.1f}"/>',
                      text(max(x(value) for value in (bar.value, bar.bound or 1, 1)) + 6, y + 14, number(bar.value))]
            if bar.bound is not None:
                parts.append(line(x(bar.bound), y, x(bar.bound), y + 20, "bound"))
            y += step
    marks = "; the mark is what it is to be at least" if any(bar.bound is not None for bar in all_bars) else ""
    parts.append(text(left + span / 2, height - 12, unit + marks, "middle"))
    return page(title, width, height, parts)


def nice(value):
    """The next of 1, 2, 5, 10, … above a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)


def lines(title, x_unit, y_unit, series):
    """Lines over sizes that grow by factors: named lists of (size, its name, value), from zero upwards."""
    width, height, left, right, top, bottom = 860, 420, 84, 250, 56, 360
    points = [point for line_points in series.values() for point in line_points]
    sizes = {math.log2(size): name for size, name, _ in points}
    low, high = min(sizes), max(max(sizes), min(sizes) + 1)
    step = nice(max(value for _, _, value in points) / 5)
    most = step * max(1, math.ceil(max(value for _, _, value in points) * 1.02 / step))

    def x(size):
        return left + 20 + (math.log2(size) - low) / (high - low) * (width - left - right - 40)

    def y(value):
        return bottom - value / most * (bottom - top)

    parts = []
    for tick in range(round(most / step) + 1):
        parts += [line(left, y(tick * step), width - right, y(tick * step), "grid"),
                  text(left - 8, y(tick * step) + 4, number(tick * step), "end")]
    for place, name in sizes.items():
        parts.append(text(x(2.0**place), bottom + 20, name, "middle"))
    for place, (name, line_points) in enumerate(series.items()):
        ink = f"c{place % 4}"
        path = "L".join(f"{x(size):.1f} {y(value):.1f}" for size, _, value in line_points)
        parts.append(f'<path class="line {ink}" d="M{path}"/>')
        parts += [f'<circle class="dot {ink}" cx="{x(size):.1f}" cy="{y(value):.1f}" r="4"/>'
                  for size, _, value in line_points]
        parts += [f'<rect class="bar {ink}" x="{width - right + 16}" y="{top + place * 24}" width="14" height="14"/>',
                  text(width - right + 36, top + place * 24 + 12, name)]
    parts += [text((left + width - right) / 2, height - 14, x_unit, "middle"), text(16, top - 12, y_unit)]
    return page(title, width, height, parts)
