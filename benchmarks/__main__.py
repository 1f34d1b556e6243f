"""`make bench`: every figure with its yardstick, as a table, and as JSON with `--json`."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict

from benchmarks import listening, panels, starting


def main() -> None:
    """Measure, then print the ratio, its spread, and the medians it was made of."""
    found = [figure for module in (panels, starting, listening) for figure in module.figures()]
    if "--json" in sys.argv:
        print(json.dumps([asdict(figure) for figure in found]))
        return
    print(f"Python {platform.python_version()}, {platform.machine()}; times ours / yardstick\n")
    for figure in found:
        print(
            f"{figure.name:40} {figure.median:8.2f} x  "
            f"(from {min(figure.ratios):.2f} to {max(figure.ratios):.2f}) beside {figure.yardstick}"
            f"   [{figure.ours * 1000:.1f} ms / {figure.theirs * 1000:.1f} ms]"
        )


if __name__ == "__main__":
    main()
