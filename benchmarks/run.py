"""Every benchmark, one after another: what `make bench` runs. Leave the machine alone meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def main() -> int:
    RESULTS.mkdir(exist_ok=True)
    failed = 0
    for name, options in (
        ("model.py", ["--folder", str(RESULTS)]),
        ("rows.py", ["--json", str(RESULTS / "rows.json")]),
        ("dashboard.py", ["--json", str(RESULTS / "dashboard.json")]),
        ("documents.py", ["--json", str(RESULTS / "documents.json")]),
        ("flow.py", ["--folder", str(RESULTS)]),
        ("forecast.py", ["--json", str(RESULTS / "forecast.json")]),
    ):
        print(f"== {name}", flush=True)
        failed += subprocess.run([sys.executable, str(HERE / name), *options], check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
