"""Put the models of finished runs into the codec's plugin, as one.

python benchmarks/codec_ship.py RUN [RUN …]

What several of them code (single planes, say) is coded by the first of them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gantools_codec import model
from ship import about

FIGURES = ("bits_per_subpixel", "images", "dataset", "aim")


def main() -> None:
    runs = [Path(run) for run in sys.argv[1:]]
    parts: dict[tuple[int, bool], model.Part] = {}
    for run in runs:
        parts = {**model.load(run).parts, **parts}
    said = {"runs": [about(run, FIGURES) for run in runs]}
    model.save(model.SHIPPED, parts, said)
    print(json.dumps(said, indent=2))


if __name__ == "__main__":
    main()
