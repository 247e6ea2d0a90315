"""`python -m benchmarks`: measure, compare with the bars, keep the figures."""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks.bench import Settings, prepared
from benchmarks.machine import slug
from benchmarks.report import report

RESULTS = Path(__file__).with_name("results")


def main() -> int:
    """Run the bench; 1 when a bar is missed or a promise is broken."""
    options = _options()
    settings = Settings(
        runs=options.runs,
        seconds=options.seconds,
        generators=options.generators,
        workers=options.workers,
        worker=not options.without_worker,
        statement_times=options.statement_times,
    )
    with (
        tempfile.TemporaryDirectory(prefix="kapda-bench-") as folder,
        prepared(settings, Path(folder), print) as (bench, result),
    ):
        bench.run(result)
    if options.save:
        file = RESULTS / f"{result.taken_at[:10]}-{slug()}.json"
        file.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
        print(f"\nkept in benchmarks/results/{file.name}")
    return report(result)


def _options() -> argparse.Namespace:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=usual.runs, help="how often each scenario is played")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="how long each is measured")
    parser.add_argument("--generators", type=int, default=usual.generators, help="processes that generate load")
    parser.add_argument("--workers", type=int, default=usual.workers, help="server processes on the one port")
    parser.add_argument("--without-worker", action="store_true", help="leave the relaying of events for later")
    parser.add_argument("--statement-times", action="store_true", help="load pg_stat_statements into PostgreSQL")
    parser.add_argument("--save", action="store_true", help="keep the figures under benchmarks/results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
