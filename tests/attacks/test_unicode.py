"""Texts that look alike and are not, and texts that are alike and do not look it: one identity, or a refusal."""

from typing import Any
from uuid import uuid4

import grpc
import pytest

from tests.attacks.refusals import Refusal
from tests.attacks.stage import NOBODY, PASSWORD, Stage

E_ACUTE, E_TWIN = "é", "e\u0301"
LOG_IN_REFUSALS = {"CREDENTIALS_INVALID", "VALIDATION_FAILED"}
INVISIBLE = ["\u200b", "\u202e", "\u200f", "\u2066", "\ufeff", "\u00ad", "\ue000"]


async def refused(stage: Stage, method: str, caller: str, **fields: Any) -> tuple[str, str, list[str]]:
    """Code, reason and fields of a refusal that writes nothing."""
    refusal = await stage.refused(method, caller, **fields)
    return refusal.code.name, refusal.reason, sorted(set(refusal.fields))


def place(**changed: str) -> dict[str, str]:
    """A postal address with something changed."""
    fields = {"name": "Asha", "phone": "+919876543210", "line1": "12 Prabhat Road", "city": "Pune", "state_code": "MH"}
    return {**fields, "pin_code": "411004", **changed}


async def sign_up(stage: Stage, email: str, name: str = "Asha", password: str = PASSWORD) -> Any:
    """A new account."""
    return await stage.ask("SignUp", NOBODY, email=email, password=password, display_name=name)


async def test_an_address_of_other_capitals_is_the_same_account(stage: Stage) -> None:
    local = f"Asha.{uuid4().hex[:8]}"
    made = await sign_up(stage, f"{local}@Example.COM")
    for twin in (f"{local.lower()}@example.com", f"{local.upper()}@EXAMPLE.com"):
        told = await refused(stage, "SignUp", NOBODY, email=twin, password=PASSWORD, display_name="Asha")
        assert told[:2] == ("ALREADY_EXISTS", "EMAIL_TAKEN")
        answer: Any = await stage.ask("LogIn", NOBODY, email=twin, password=PASSWORD)
        assert answer.user.id == made.user.id


LOOK_ALIKES = [
    "аsha",
    "ASHA\u212a",
    "İshan",
    "ａｓｈａ",
    f"asha{E_ACUTE}",
    f"asha{E_TWIN}",
    "ßsha",
    "👗",
    "asha\0",
    "ﬁ",
    "आशा",
]


async def test_an_address_that_only_looks_like_another_is_none(stage: Stage) -> None:
    for local in [*LOOK_ALIKES, *(f"as{character}ha" for character in INVISIBLE)]:
        for email in (f"{local}{uuid4().hex[:6]}@example.com", f"asha@{local}.example.com"):
            told = await refused(stage, "SignUp", NOBODY, email=email, password=PASSWORD, display_name="Asha")
            assert told == ("INVALID_ARGUMENT", "VALIDATION_FAILED", ["email"]), email
            # Nobody can have it, and a log-in tells no more than of an address that nobody has.
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stage.ask("LogIn", NOBODY, email=email, password=PASSWORD)
            assert Refusal(caught.value).reason in LOG_IN_REFUSALS, email


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (f"Ren{E_TWIN}e", f"Ren{E_ACUTE}e"),
        (f"Ren{E_ACUTE}e", f"Ren{E_ACUTE}e"),
        ("  Asha  ", "Asha"),
        ("आशा", "आशा"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("משה", "משה"),
        ("Аsha", "Аsha"),
        ("ﬁ", "ﬁ"),
    ],
    ids=["decomposed", "composed", "spaces", "devanagari", "joiner", "emoji", "hebrew", "cyrillic", "ligature"],
)
async def test_one_name_has_one_spelling_wherever_it_is_kept(stage: Stage, typed: str, kept: str) -> None:
    made = await sign_up(stage, f"{uuid4().hex}@example.com", typed)
    assert made.user.display_name == kept
    added: Any = await stage.ask(
        "AddAddress", "asha", request_id=str(uuid4()), label=typed, address=place(name=typed, city=typed)
    )
    assert (added.address.label, added.address.address.name, added.address.address.city) == (kept, kept, kept)
    await stage.ask("RemoveAddress", "asha", address_id=added.address.id)


@pytest.mark.parametrize("character", INVISIBLE, ids=lambda character: f"U+{ord(character):04X}")
async def test_what_nobody_sees_or_what_turns_the_writing_is_refused_in_every_name(
    stage: Stage, character: str
) -> None:
    name = f"As{character}ha"
    new = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD}
    assert (await refused(stage, "SignUp", NOBODY, display_name=name, **new))[2] == ["display_name"]
    for field in ("name", "line1", "line2", "city"):
        told = await refused(
            stage, "AddAddress", "asha", request_id=str(uuid4()), label="home", address=place(**{field: name})
        )
        assert told == ("INVALID_ARGUMENT", "VALIDATION_FAILED", [f"address.{field}"])
    told = await refused(stage, "AddAddress", "asha", request_id=str(uuid4()), label=name, address=place())
    assert told[2] == ["label"]


async def test_a_password_is_the_same_however_a_keyboard_composes_it(stage: Stage) -> None:
    email = f"{uuid4().hex}@example.com"
    made = await sign_up(stage, email, password=f"lantern-{E_ACUTE}-peacock-Ⅳ-41")
    twin: Any = await stage.ask("LogIn", NOBODY, email=email, password=f"lantern-{E_TWIN}-peacock-IV-41")
    assert twin.user.id == made.user.id
    told = await refused(stage, "LogIn", NOBODY, email=email, password="lantern-\0-peacock-IV-41")
    assert told == ("INVALID_ARGUMENT", "VALIDATION_FAILED", ["password"])


async def test_a_sku_is_found_exactly_as_it_is_written_and_no_other_way(stage: Stage) -> None:
    (row,) = await stage.shop.sql("SELECT sku FROM variants ORDER BY id LIMIT 1")
    sku = row["sku"]
    wide = "".join(chr(ord(character) + 0xFEE0) for character in sku)
    twins = [
        sku.lower(),
        wide,
        sku.replace("S", "Ѕ"),
        f"{sku}{E_TWIN}",
        f"\u200b{sku}",
        f"{sku}\u202e",
        f" {sku}",
        f"{sku} ",
    ]
    for twin in twins:
        lines = [{"sku": twin, "quantity": 1}]
        code, _, fields = await refused(
            stage, "BatchReceiveStock", "admin", request_id=str(uuid4()), reason="a delivery", lines=lines
        )
        assert (code, fields) == ("NOT_FOUND", ["lines[0].sku"]), twin
    lines = [{"sku": sku, "quantity": 1}]
    await stage.ask("BatchReceiveStock", "admin", request_id=str(uuid4()), reason="a delivery", lines=lines)


@pytest.mark.parametrize("query", ["ｋｕｒｔａ", "KURTA", "ku\u0301rta", "👗", "\u202eatruk", "कुर्ता", "k\u200burta"])
async def test_a_search_in_any_writing_is_answered(stage: Stage, query: str) -> None:
    found: Any = await stage.ask("SearchProducts", NOBODY, query=query)
    assert query not in {"ｋｕｒｔａ", "KURTA"} or found.products
