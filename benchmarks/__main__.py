"""`python -m benchmarks`: measure, compare with the bars, keep the figures."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.bench import Settings
from benchmarks.kept import keep
from benchmarks.report import report
from benchmarks.scenes import measure_all


def main() -> int:
    """Run the bench; 1 when a bar is missed, a promise is broken, or the figures could not be kept."""
    options = _options()
    settings = Settings(
        runs=options.runs,
        seconds=options.seconds,
        generators=options.generators,
        workers=options.workers,
        several=options.several,
        password_threads=options.password_threads,
        worker=not options.without_worker,
        statement_times=options.statement_times,
    )
    with tempfile.TemporaryDirectory(prefix="kapda-bench-") as folder:
        result = measure_all(settings, Path(folder), print)
    reached = report(result)
    kind = "" if options.workers == 1 else f"{options.workers}-servers"
    kept = not options.save or keep(result, result.taken_at, kind)
    return 0 if reached and kept else 1


def _options() -> argparse.Namespace:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=usual.runs, help="how often each scenario is played")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="how long each is measured")
    parser.add_argument("--generators", type=int, default=usual.generators, help="processes that generate load")
    parser.add_argument("--workers", type=int, default=usual.workers, help="server processes on the one port")
    parser.add_argument(
        "--several", type=int, default=usual.several, help="server processes of the second stack; 0: none"
    )
    parser.add_argument(
        "--password-threads",
        type=int,
        default=usual.password_threads,
        help="of each server process, a core and 19 MiB each",
    )
    parser.add_argument("--without-worker", action="store_true", help="leave the relaying of events for later")
    parser.add_argument("--statement-times", action="store_true", help="load pg_stat_statements into PostgreSQL")
    parser.add_argument("--save", action="store_true", help="keep the figures under benchmarks/results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
