"""grpc's own thread must not wait for the event loop that it wakes.

In grpc.aio 1.85 a thread takes what has happened, such as that a call has come or a response has left, and writes a byte
for each to a socket that the event loop watches. The loop takes all that has happened at once, but reads one byte a turn,
so in a busy server bytes stay behind. When some 280 have, the socket is full, and the thread waits at every write for the
loop to read one. From then on grpc tells of one thing a turn, and a call is four: at 400 turns a second a hundred calls
are served, however little they cost, and the others wait where no limit of ours sees them. A byte more says nothing that
those before it do not say, so it may as well be lost.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def lost_when_full() -> Iterator[None]:
    """Of each pair of sockets made inside the block the end that is written to never waits: what finds it full is lost.

    grpc makes its pair with the first server or channel of a process.
    """
    make = socket.socketpair
    # grpc looks the function up when it needs it, and offers no other way to its sockets.
    socket.socketpair = _losing(make)
    try:
        yield
    finally:
        socket.socketpair = make


def _losing(make: Callable[..., tuple[socket.socket, socket.socket]]) -> Any:
    def make_pair(*arguments: Any, **named: Any) -> tuple[socket.socket, socket.socket]:
        reading, writing = make(*arguments, **named)
        writing.setblocking(False)
        return reading, writing

    return make_pair
