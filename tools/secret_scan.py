"""Refuses files with a secret in them. Usage: `python tools/secret_scan.py [FILE ...]`; without files, all in git.

There is no baseline file in which a real one could hide. A line that only looks like it says so itself, with
`pragma: allowlist secret` and the reason. In tests, where every password is made up, what stands behind a name like
`password` is let pass; whatever looks like a key or a token is not.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DETECTOR = Path(__file__).resolve().with_name("razorpay_key_detector.py")

# What stands behind a name like `secret` and is none: a name in capitals, plain words with spaces, anything very short.
HARMLESS = ("^[A-Z]+(_[A-Z]+)*$", "^[A-Za-z]+( [a-z]+)+$", "^.{1,7}$")


def committable() -> list[str]:
    """Return the files that are tracked, or would be by `git add --all`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603  # constant
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def scan(files: Sequence[str]) -> int:
    """Print every finding; return 0 when there is none. Asks no service whether a secret is a real one."""
    tests = [file for file in files if file.startswith("tests/")]
    others = [file for file in files if not file.startswith("tests/")]
    return max(_detect(others, []), _detect(tests, ["--disable-plugin", "KeywordDetector"]))


def _detect(files: Sequence[str], options: Sequence[str]) -> int:
    excluded = [argument for pattern in HARMLESS for argument in ("--exclude-secrets", pattern)]
    command = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--no-verify", "-p", str(DETECTOR)]
    return subprocess.run([*command, *excluded, *options, *files], cwd=ROOT, check=False).returncode  # noqa: S603  # ours


if __name__ == "__main__":
    sys.exit(scan(sys.argv[1:] or committable()))
