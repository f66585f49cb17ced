"""All benchmarks, one after the other: ``python -m bench``, which is ``make bench``."""

from __future__ import annotations

import importlib
import importlib.util

PARTS = ("bench.steps", "bench.scaling", "bench.page")


def main() -> None:
    for name in PARTS:
        if importlib.util.find_spec(name) is None:
            continue
        print(f"\n# {name}\n", flush=True)
        importlib.import_module(name).main()


if __name__ == "__main__":
    main()
