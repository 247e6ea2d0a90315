import asyncio
import time
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from kapda.adapters.crypto.argon2_hasher import LANES, MEMORY_KIB, PASSES, Argon2PasswordHasher, nobodys_hash
from kapda.adapters.crypto.zxcvbn_strength import ZxcvbnStrength
from kapda.domain.identity.password import MAX_LENGTH, Password
from kapda.domain.shared.errors import UnavailableError

PASSWORD = Password("Kurta-and-9-yards")


@pytest.fixture
def hasher() -> Iterator[Argon2PasswordHasher]:
    hasher = Argon2PasswordHasher()
    yield hasher
    hasher.close()


@pytest.fixture
def strength() -> Iterator[ZxcvbnStrength]:
    strength = ZxcvbnStrength()
    yield strength
    strength.close()


async def test_hashes_are_argon2id_with_the_recommended_parameters_and_a_salt(hasher: Argon2PasswordHasher) -> None:
    first, second = await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second


async def test_a_hash_of_other_parameters_is_right_and_due_for_a_new_one(hasher: Argon2PasswordHasher) -> None:
    older = Argon2PasswordHasher(memory_kib=8 * 1024, passes=1)
    check = await hasher.check(PASSWORD, await older.hash(PASSWORD))
    older.close()
    assert (check.is_right, check.needs_rehash) == (True, True)


@pytest.mark.parametrize("instead", [None, "of-no-format-that-we-know"])
async def test_a_hash_that_is_none_costs_a_whole_one(hasher: Argon2PasswordHasher, instead: str | None) -> None:
    password_hash = await hasher.hash(PASSWORD)
    times: dict[str | None, list[float]] = {instead: [], password_hash: []}
    for _ in range(5):
        for asked, taken in times.items():
            began = time.perf_counter()
            await hasher.check(Password("wrong"), asked)
            taken.append(time.perf_counter() - began)
    # The least of several is what the work itself takes; half of it leaves room for a busy machine.
    assert min(times[instead]) > min(times[password_hash]) / 2


@pytest.mark.parametrize(("memory_kib", "passes"), [(MEMORY_KIB // 3, PASSES), (MEMORY_KIB, 1), (8, 1)])
async def test_a_hash_of_before_the_parameters_were_raised_costs_as_much_as_one_of_today(
    hasher: Argon2PasswordHasher, memory_kib: int, passes: int
) -> None:
    older = Argon2PasswordHasher(memory_kib=memory_kib, passes=passes)
    hashes = {"of today": await hasher.hash(PASSWORD), "of before": await older.hash(PASSWORD)}
    older.close()
    times: dict[str, list[float]] = {name: [] for name in hashes}
    for _ in range(5):
        for name, password_hash in hashes.items():
            began = time.perf_counter()
            await hasher.check(Password("wrong"), password_hash)
            times[name].append(time.perf_counter() - began)
    # Neither sooner nor later; the least of several is what the work itself takes.
    assert 2 / 3 < min(times["of before"]) / min(times["of today"]) < 3 / 2


async def test_a_flood_is_refused_beyond_the_bound_and_the_event_loop_goes_on() -> None:
    hasher = Argon2PasswordHasher(threads=2, max_waiting=6)
    answers = await asyncio.gather(*(hasher.hash(PASSWORD) for _ in range(20)), return_exceptions=True)
    hasher.close()
    assert sum(isinstance(answer, str) for answer in answers) == 8
    assert sum(isinstance(answer, UnavailableError) for answer in answers) == 12


@pytest.mark.parametrize(
    "text", ["Password1", "Qwerty123", "Welcome1", "Abcd1234", "1234567890123456", "a" * 128, "Iloveyou2", "P@ssw0rd"]
)
async def test_passwords_from_every_list_are_common(strength: ZxcvbnStrength, text: str) -> None:
    assert await strength.is_common(Password(text), ())


@pytest.mark.parametrize("text", ["Vijayalakshmi1", "Raghunathan99", "Vijayalakshmi.R@Example.in"])
async def test_a_users_own_words_are_common_for_that_user_only(strength: ZxcvbnStrength, text: str) -> None:
    about_user = ("vijayalakshmi.r@example.in", "Vijayalakshmi Raghunathan")
    assert await strength.is_common(Password(text), about_user)
    assert not await strength.is_common(Password(text), ())


@pytest.mark.parametrize("text", ["correct horse battery staple", "Hj7kLm2q", "कुर्ता और दुपट्टा", "mauve-tiffin-ladder-9"])
async def test_good_passwords_pass(strength: ZxcvbnStrength, text: str) -> None:
    assert not await strength.is_common(Password(text), ("asha@example.in", "Asha Rao"))


@pytest.mark.parametrize("piece", ["@4$0!1|", "p4$$w0rd", "12061999", "qwertyuiop", "\u0915"])
async def test_the_longest_password_is_judged_in_bounded_time(strength: ZxcvbnStrength, piece: str) -> None:
    longest = Password((piece * MAX_LENGTH)[:MAX_LENGTH])
    began = time.monotonic()
    await strength.is_common(longest, ("a@" + "b" * 250, "c " * 50))
    assert time.monotonic() - began < 2


def test_the_hash_of_nobody_is_one_like_all_others_and_new_in_every_process() -> None:
    ours = {"memory_kib": MEMORY_KIB, "passes": PASSES, "lanes": LANES}
    drawn = nobodys_hash(**ours)
    real = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID).hash("peacock")
    assert extract_parameters(drawn) == extract_parameters(real)
    assert len(drawn) == len(real)
    assert drawn != nobodys_hash(**ours)
