"""What was measured is kept, also where nothing was kept before; and where that fails, it says so and nothing is lost."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.figures import Result
from benchmarks.kept import keep

RESULT = Result("2026-11-25T12:00:00+00:00", {"cores": 2}, 0.1, {"shoppers": 100})


def test_the_first_figures_make_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "none yet"
    assert keep(RESULT, RESULT.taken_at, folder=folder)
    (file,) = folder.iterdir()
    assert file.name.startswith("2026-11-25-")
    assert msgspec.json.decode(file.read_bytes(), type=Result) == RESULT


def test_kinds_of_measurement_do_not_overwrite_each_other(tmp_path: Path) -> None:
    assert keep(RESULT, RESULT.taken_at, folder=tmp_path)
    assert keep(RESULT, RESULT.taken_at, "overload", folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_kept_is_told_not_raised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    in_the_way = tmp_path / "results"
    in_the_way.write_text("a file", encoding="utf-8")
    assert not keep(RESULT, RESULT.taken_at, folder=in_the_way)
    assert "not kept" in capsys.readouterr().out
