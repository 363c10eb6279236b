"""Make the invented data of all studies: ``python examples/make_demo.py``.

Writes field exports and their side-cars beside this script.  Seeds, sizes and generator are fixed; running it again
gives the same bytes.  ``--check`` writes nothing and says whether the files on disk are what the generator makes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from semkit import simulate_responses

HERE = Path(__file__).resolve().parent
FOLDERS = {
    "border": "border_collaboration",
    "border_nointeraction": "border_nointeraction",
    "border_cases30": "synthetic",
    "marketing_network": "synthetic",
    "export_compliance": "synthetic",
    "digital": "synthetic",
    "governance": "synthetic",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Make (or check) the invented data of all studies.")
    parser.add_argument("--check", action="store_true", help="compare with the files on disk, write nothing")
    check = parser.parse_args().check
    differs = 0
    for study, folder in FOLDERS.items():
        invented = simulate_responses(study)
        if not check:
            for path in invented.write(HERE / folder):
                print(f"{path.relative_to(HERE)}: {path.stat().st_size:,} bytes")
            continue
        for kind, made in (("csv", invented.to_bytes()), ("json", invented.sidecar().encode())):
            path = HERE / folder / f"{study}_synthetic.{kind}"
            same = path.is_file() and path.read_bytes() == made
            differs += not same
            print(f"{path.relative_to(HERE)}: {'same' if same else 'DIFFERENT'}")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
