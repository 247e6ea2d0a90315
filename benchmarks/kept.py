"""Keeps what was measured: one JSON file for each kind of measurement, day and machine."""

from pathlib import Path
from typing import Final

import msgspec

from benchmarks.machine import slug

RESULTS: Final = Path(__file__).with_name("results")


def keep(record: msgspec.Struct, taken_at: str, kind: str = "", *, folder: Path = RESULTS) -> bool:
    """Write the record as JSON and say where, or why that failed; whether it is kept.

    Raises nothing: minutes of measuring must not be lost to a full disk, so whoever calls has printed them before.
    """
    file = folder / "-".join(part for part in (taken_at[:10], kind, f"{slug()}.json") if part)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    except OSError as error:
        print(f"\nnot kept: {error}")
        return False
    print(f"\nkept in benchmarks/results/{file.name}")
    return True
