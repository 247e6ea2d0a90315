"""An embedded PostgreSQL: durable, private, restartable, and never left behind."""

import os
import shutil
import signal
import socket
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from kapda.adapters.embedded import postgres_files, processes
from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.processes import Identity, PortTakenError, StartError

IDENTITIES: tuple[Identity, ...] = postgres_files.ROOT_IDENTITIES if os.geteuid() == 0 else ("same",)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was served once: copying it is ten times faster than initdb."""
    folder = tmp_path_factory.mktemp("pristine")
    with EmbeddedPostgres(folder):
        return folder


@pytest.fixture
def folder(tmp_path: Path, pristine: Path) -> Path:
    """A folder with a data folder of its own in it."""
    shutil.copytree(pristine / "data", tmp_path / "data")
    return tmp_path


async def fetch(server: EmbeddedPostgres, statement: str, url: str | None = None) -> object:
    connection = await asyncpg.connect(url or server.url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("identity", IDENTITIES)
async def test_it_is_reached_by_its_socket_also_after_kill_9(identity: Identity) -> None:
    if refusal := postgres_files.refused(identity):
        pytest.skip(f"this machine does not allow it: {refusal}")
    # Not pytest's folder, whose name may be too long for a socket.
    with TemporaryDirectory() as short, EmbeddedPostgres(Path(short) / "a b", identity=identity) as server:
        for _ in range(2):
            assert "data" in server.socket_url()
            by_socket = await fetch(server, "SELECT inet_server_addr() IS NULL", server.socket_url())
            assert by_socket is True
            server.kill()
            (lock,) = (server.directory / "data").glob(".s.PGSQL.*.lock")
            # Its number has gone to another process.
            lock.write_text(lock.read_text().replace(lock.read_text().split("\n")[0], str(os.getpid()), 1))
            server.start()


def test_a_folder_too_deep_for_a_socket_is_served_by_tcp_alone(folder: Path) -> None:
    deep = folder / ("x" * 100)
    deep.mkdir()
    (folder / "data").rename(deep / "data")
    with EmbeddedPostgres(deep) as server:
        assert server.socket_url("shop") == server.url("shop")


@pytest.mark.parametrize("identity", IDENTITIES)
async def test_committed_rows_survive_kill_9_on_the_same_port(tmp_path: Path, identity: Identity) -> None:
    if refusal := postgres_files.refused(identity):
        pytest.skip(f"this machine does not allow it: {refusal}")
    with EmbeddedPostgres(tmp_path / "closed" / "to others", identity=identity) as server:
        port = server.port
        await fetch(server, "CREATE TABLE kept AS SELECT 42 AS answer")

        server.kill()
        assert server.pid is None
        server.start()

        assert server.port == port
        assert await fetch(server, "SELECT answer FROM kept") == 42
        assert "database system was not properly shut down" in server.log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has more than one way")
async def test_root_serves_the_same_folder_whichever_way_the_machine_allows(folder: Path) -> None:
    for identity in (*postgres_files.ROOT_IDENTITIES, *postgres_files.ROOT_IDENTITIES):
        if postgres_files.refused(identity) is None:
            with EmbeddedPostgres(folder, identity=identity) as server:
                assert await fetch(server, "SELECT 1") == 1


async def test_a_clean_stop_needs_no_recovery(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        await fetch(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        server.stop()
        server.start()

        assert await fetch(server, "SELECT answer FROM kept") == 42
        assert "not properly shut down" not in server.log.read_text()


async def test_a_crash_with_a_busy_client_can_be_restarted(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        client = await asyncpg.connect(server.url())
        await client.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        lock = await asyncpg.connect(server.url())
        await lock.execute("BEGIN; LOCK TABLE kept")

        server.kill()
        server.start()

        assert await fetch(server, "SELECT answer FROM kept") == 42
        client.terminate()
        lock.terminate()


async def test_a_lock_file_whose_number_went_to_another_process_is_no_obstacle(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        server.kill()
        lock_file = folder / "data" / "postmaster.pid"
        lines = lock_file.read_text().splitlines(keepends=True)
        lock_file.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))

        server.start()

        assert await fetch(server, "SELECT 1") == 1


async def test_two_servers_do_not_know_of_each_other(folder: Path) -> None:
    shutil.copytree(folder / "data", folder / "b" / "data")
    with EmbeddedPostgres(folder) as first, EmbeddedPostgres(folder / "b") as second:
        await fetch(first, "CREATE TABLE here ()")

        assert first.port != second.port
        assert await fetch(first, "SELECT to_regclass('here') IS NOT NULL") is True
        assert await fetch(second, "SELECT to_regclass('here') IS NOT NULL") is False


async def test_it_is_durable_and_takes_further_settings(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings={"max_connections": "17"}) as server:
        assert await fetch(server, "SHOW fsync") == "on"
        assert await fetch(server, "SHOW synchronous_commit") == "on"
        assert await fetch(server, "SHOW full_page_writes") == "on"
        assert await fetch(server, "SHOW listen_addresses") == "127.0.0.1"
        assert await fetch(server, "SHOW max_connections") == "17"
        assert await fetch(server, "SELECT lower('ÉTÉ')") == "été"


async def test_a_second_server_on_the_same_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_files, "_PREDECESSOR_TIMEOUT", 0.2)
    with EmbeddedPostgres(folder) as server:
        with pytest.raises(StartError, match="already serves"):
            EmbeddedPostgres(folder).start()

        assert await fetch(server, "SELECT 1") == 1


def test_a_given_port_that_is_taken_is_named_in_the_error(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port}"):
            EmbeddedPostgres(folder, port=port).start()


def test_a_port_lost_to_another_process_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_free = processes.free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answers = [taken.getsockname()[1]]
        monkeypatch.setattr(processes, "free_port", lambda: answers.pop() if answers else really_free())
        with EmbeddedPostgres(folder) as server:
            assert server.port != taken.getsockname()[1]
            assert not answers


def test_a_server_that_cannot_start_shows_its_log(folder: Path) -> None:
    with pytest.raises(StartError, match='unrecognized configuration parameter "no_such_setting"'):
        EmbeddedPostgres(folder, settings={"no_such_setting": "1"}).start()


def test_an_initdb_cut_short_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "PG_VERSION").write_text("18")
    with EmbeddedPostgres(tmp_path) as server:
        assert server.pid is not None


def test_a_file_that_a_stopping_server_takes_away_meanwhile_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PG_VERSION", "postmaster.pid"):
        (tmp_path / name).touch()
    given, chown = [], os.chown

    def taking_away(path: Path, *owner: int, follow_symlinks: bool) -> None:
        if path.name == "postmaster.pid":
            path.unlink()
        chown(path, os.getuid(), os.getgid(), follow_symlinks=follow_symlinks)
        given.append(path)

    monkeypatch.setattr(os, "chown", taking_away)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    postgres_files._give(tmp_path, "namespace")
    assert given == [tmp_path / "PG_VERSION", tmp_path]


def test_a_server_that_does_not_stop_in_time_is_killed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)

        server.stop(timeout=0.2)

        assert server.pid is None
        assert not Path(f"/proc/{pid}").exists()


def test_starting_outside_the_main_thread_is_refused(folder: Path) -> None:
    errors: list[RuntimeError] = []

    def start() -> None:
        try:
            EmbeddedPostgres(folder).start()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])
