"""Make toolkit/feed/bufr/tables.json.gz: `python -m tools.bufr_tables FOLDER VERSION OLDER`.

FOLDER is a copy of github.com/wmo-im/BUFR4, which holds tables B and D of WMO-No. 306, volume I.2, as CSV files, and
VERSION their version. OLDER is the folder tables/0/0_0 of the package pybufrkit, which has the older versions: of them
is taken what was different. Numbers are taken, and no texts.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from toolkit.feed.bufr.tables import FILE

TARGET = Path("toolkit/feed/bufr") / FILE
NOTICE = (
    "WMO-No. 306, volume I.2, tables B and D: numbers of github.com/wmo-im/BUFR4, copyright (c) 2020-2024, and, of "
    "older versions, of pybufrkit, copyright (c) 2016 Yang Wang; both under the MIT licence."
)
TEXT = "CCITT IA5"
# The versions in which something was different that is in today's tables; 13 stands for those before it, too.
VERSIONS = ("13", "14", "15", "16", "17")
# A misprint there: 2048 bits instead of 248.
WRONG = {"001099"}


def main(folder: str, version: str, older: str) -> None:
    """Write the widths, scales and references of elements, and what sequences consist of."""
    elements = {}
    for row in _rows(Path(folder), "BUFRCREX_TableB_en_*.csv"):
        numbers = [int(row[f"BUFR_{name}"].replace(" ", "")) for name in ("DataWidth_Bits", "Scale", "ReferenceValue")]
        elements[row["FXY"]] = [*numbers, int(row["BUFR_Unit"] == TEXT)]
    sequences: dict[str, list[str]] = {}
    for row in _rows(Path(folder), "BUFR_TableD_en_*.csv"):
        sequences.setdefault(row["FXY1"], []).append(row["FXY2"])
    before = {}
    for name in VERSIONS:
        their_elements = json.loads((Path(older) / name / "TableB.json").read_text(encoding="utf-8"))
        their_sequences = json.loads((Path(older) / name / "TableD.json").read_text(encoding="utf-8"))
        were = {one: [said[4], said[2], said[3], int(said[1] == TEXT)] for one, said in their_elements.items()}
        before[name] = {
            "elements": {one: said for one, said in were.items() if elements.get(one) != said and one not in WRONG},
            "sequences": {one: said[1] for one, said in their_sequences.items() if sequences.get(one) != said[1]},
        }
    tables = {"notice": NOTICE, "version": int(version), "elements": elements, "sequences": sequences, "before": before}
    content = json.dumps(tables, separators=(",", ":"), sort_keys=True).encode()
    TARGET.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))


def _rows(folder: Path, pattern: str) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
