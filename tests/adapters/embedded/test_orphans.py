"""What a killed parent leaves behind: nothing that runs, and a folder that can be served again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kapda.adapters.embedded import launch, postgres_files, processes
from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.processes import Identity
from tests.processes import still_running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")

PARENT = """
import sys, time
from pathlib import Path
from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.valkey import EmbeddedValkey

folder, identity = Path(sys.argv[1]), sys.argv[2]
postgres = EmbeddedPostgres(folder, identity=identity)
valkey = EmbeddedValkey(folder)
postgres.start()
valkey.start()
print(postgres.pid, valkey.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("identity", postgres_files.ROOT_IDENTITIES if os.geteuid() == 0 else ("same",))
def test_a_killed_parent_leaves_no_process_and_a_servable_folder(tmp_path: Path, identity: Identity) -> None:
    if refusal := postgres_files.refused(identity):
        pytest.skip(f"this machine does not allow it: {refusal}")
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path, identity], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()

    with EmbeddedPostgres(tmp_path) as server:  # at once: the old server may still be stopping
        assert server.pid not in pids
    assert still_running(pids, within=20) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as two different users")
def test_the_folder_keeps_its_owner_as_long_as_a_server_is_stopping_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if refusals := [why for identity in postgres_files.ROOT_IDENTITIES if (why := postgres_files.refused(identity))]:
        pytest.skip(f"this machine does not allow both: {refusals}")
    monkeypatch.setattr(postgres_files, "_PREDECESSOR_TIMEOUT", 0.2)

    with EmbeddedPostgres(tmp_path, identity="nobody"):
        with pytest.raises(processes.StartError, match="already serves"):
            EmbeddedPostgres(tmp_path, identity="namespace").start()
        owners = {path.stat().st_uid for path in (tmp_path / "data").rglob("*")}

    assert owners == {launch.NOBODY}  # else it cannot write its last checkpoint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; everybody else is that already")
def test_somebody_who_is_not_root_can_run_it(tmp_path: Path) -> None:
    os.chown(tmp_path, launch.NOBODY, launch.NOBODY)
    script = PARENT.replace("time.sleep(600)", "import os; print(os.geteuid()); postgres.stop()")
    # As nobody who may still read root's Python.
    command = processes.launch_command(
        [sys.executable, "-c", script, str(tmp_path), "same"],
        death_signal=signal.SIGKILL,
        identity="nobody",
    )
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert ran.stdout.splitlines()[1:] == [str(launch.NOBODY)], ran.stderr


def test_a_child_whose_parent_is_gone_does_not_start(tmp_path: Path) -> None:
    command = processes.launch_command(["/bin/touch", str(tmp_path / "made")], death_signal=signal.SIGKILL)
    somebody_else = str(os.getppid())
    command[command.index(str(os.getpid()))] = somebody_else

    assert subprocess.run(command, check=False).returncode != 0
    assert not (tmp_path / "made").exists()
