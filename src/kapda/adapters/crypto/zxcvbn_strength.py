"""Common passwords, found by zxcvbn."""

import re

from zxcvbn import zxcvbn

from kapda.adapters.crypto.bounded_pool import BoundedPool
from kapda.domain.identity.password import Password

# A million guesses: what somebody gets through at a log-in over months, lockout and all. Rarer ones pass (score 2 up).
LOWEST_SCORE = 2
# zxcvbn's time grows with the square of the length and worse: 50 ms for this many characters, 200 for 72. What begins
# with so many characters that are hard to guess is hard to guess.
MAX_CHECKED_LENGTH = 40
# Shorter pieces of a name or an address are in too many good passwords.
MIN_PIECE_LENGTH = 3
MAX_PIECES = 20
MAX_PIECE_LENGTH = 40
# Pure Python that holds the interpreter's lock: a second thread would only take more of it from the event loop.
THREADS = 1
MAX_WAITING = 20

_SEPARATORS = re.compile(r"[\W_]+")


class ZxcvbnStrength:
    """A PasswordStrength on a thread of its own."""

    def __init__(self, *, max_waiting: int = MAX_WAITING) -> None:
        self._pool = BoundedPool("zxcvbn", threads=THREADS, max_waiting=max_waiting)

    async def is_common(self, password: Password, about_user: tuple[str, ...]) -> bool:
        """Whether less than a million guesses find it."""
        return await self._pool.run(lambda: _is_common(password.text, about_user))

    def close(self) -> None:
        """End the thread."""
        self._pool.close()


def _is_common(text: str, about_user: tuple[str, ...]) -> bool:
    result = zxcvbn(text[:MAX_CHECKED_LENGTH], user_inputs=_pieces(about_user))
    return bool(result["score"] < LOWEST_SCORE)


def _pieces(texts: tuple[str, ...]) -> list[str]:
    """The texts and the words in them, as zxcvbn wants them: it knows only whole words, in lower case."""
    words = [word for text in texts for word in (text, *_SEPARATORS.split(text))]
    pieces = dict.fromkeys(word.lower()[:MAX_PIECE_LENGTH] for word in words if len(word) >= MIN_PIECE_LENGTH)
    return list(pieces)[:MAX_PIECES]
