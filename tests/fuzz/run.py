"""Run the inputs of one area in a process of its own: python run.py AREA FIRST LAST FOLDER.

Prints one JSON object. Single inputs are repeated by their number: FIRST = number, LAST = number + 1.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import areas
from harness import run_area

if __name__ == "__main__":
    name, first, last, folder = sys.argv[1:]
    verdict = run_area(areas.AREAS[name], range(int(first), int(last)), Path(folder))
    print(json.dumps(asdict(verdict)))
