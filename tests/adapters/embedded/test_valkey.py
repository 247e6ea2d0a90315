"""An embedded Valkey: keeps nothing, evicts nothing, and comes back on its port."""

import socket
from pathlib import Path

import pytest
import redis

from kapda.adapters.embedded.processes import PortTakenError
from kapda.adapters.embedded.valkey import EmbeddedValkey


def test_it_keeps_everything_in_memory_and_evicts_nothing(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server, redis.Redis.from_url(server.url()) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "no"}
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_after_kill_9_it_is_empty_on_the_same_port(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server:
        with redis.Redis.from_url(server.url()) as client:
            client.set("held", "1")
        port = server.port

        server.kill()
        assert server.pid is None
        server.start()

        assert server.port == port
        with redis.Redis.from_url(server.url()) as client:
            assert client.get("held") is None


def test_two_servers_do_not_know_of_each_other(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "a") as first, EmbeddedValkey(tmp_path / "b") as second:
        with redis.Redis.from_url(first.url()) as client:
            client.set("here", "1")
        with redis.Redis.from_url(second.url()) as client:
            assert client.get("here") is None


def test_a_given_port_that_is_taken_is_named_in_the_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port}"):
            EmbeddedValkey(tmp_path, port=port).start()
