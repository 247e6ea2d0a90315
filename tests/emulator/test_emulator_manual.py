"""docs/emulator.md says what is true: every line runs, and nothing is left out."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from kapda.emulator.__main__ import KEY_ID, KEY_SECRET, parse
from kapda.emulator.fault_kinds import KINDS, ApiFault, Operation, WebhookFault
from tests.emulator.conftest import WEBHOOK_SECRET, Emulator, Start

MANUAL = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
LINES = [line for block in re.findall(r"```sh\n(.*?)```", MANUAL, re.DOTALL) for line in block.splitlines()]
COMMON = {"name", "times", "skip", "probability", "for_seconds", "order_id", "payment_id", "receipt"}


@pytest.fixture
async def variables(start: Start, closed_port: int) -> tuple[Emulator, dict[str, str]]:
    emulator: Emulator = await start(
        key_id=KEY_ID,
        key_secret=KEY_SECRET,
        webhook_url=f"http://127.0.0.1:{closed_port}/hook",
        webhook_secret=WEBHOOK_SECRET,
        refunds_stay_pending=True,
    )
    emulator.http.auth = httpx.BasicAuth(KEY_ID, KEY_SECRET)
    captured = await emulator.captured()
    refund = await emulator.call("POST", f"/v1/payments/{captured['id']}/refund", {"amount": 500})
    held = await emulator.pay(await emulator.order(), outcome="authorize_only")
    failed = await emulator.pay(await emulator.order(), outcome="failure")
    pending = await emulator.pay(await emulator.order(), outcome="late")
    await emulator.call("PUT", "/emulator/faults/lag", {"kind": "list_lag", "times": 1, "skip": 99})
    return emulator, {
        "E": emulator.url,
        "KEY": f"{KEY_ID}:{KEY_SECRET}",
        "ORDER": (await emulator.order())["id"],
        "PAYMENT": captured["id"],
        "HELD": held["razorpay_payment_id"],
        "FAILED": failed["error"]["metadata"]["payment_id"],
        "PENDING": pending["error"]["metadata"]["payment_id"],
        "REFUND": refund["id"],
        "EVENT": (await emulator.call("GET", "/emulator/deliveries"))["items"][0]["event_id"],
    }


async def curl(emulator: Emulator, line: str, variables: dict[str, str]) -> Any:
    """Does what curl would do; every request that is not refused has an answer in JSON."""
    name, *words = shlex.split(re.sub(r"\$([A-Z]+)", lambda found: variables[found[1]], line))
    assert name == "curl"
    options: dict[str, str] = {}
    address = ""
    while words:
        word = words.pop(0)
        if word == "-g":  # keeps curl from reading the brackets of a query
            continue
        if word.startswith("-"):
            options[word] = words.pop(0)
        else:
            address = word
    assert set(options) <= {"-u", "-X", "-d", "-H"}
    auth = httpx.BasicAuth(*options["-u"].split(":")) if "-u" in options else None
    headers = dict([options["-H"].split(": ")]) if "-H" in options else {}
    request = emulator.http.build_request(
        options.get("-X", "POST" if "-d" in options else "GET"), address, content=options.get("-d"), headers=headers
    )
    response = await emulator.http.send(request, auth=auth)
    assert response.is_success, (line, response.text)
    return response.json()


async def test_every_line_of_the_manual_runs(start: Start, variables: tuple[Emulator, dict[str, str]]) -> None:
    emulator, values = variables
    assert len(LINES) > 50
    for line in LINES:
        fresh = {}
        if "/emulator/pay " in line:
            fresh["ORDER"] = (await emulator.order())["id"]
        if "/refunds/$REFUND/" in line:
            payment = await emulator.captured()
            fresh["REFUND"] = (await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {}))["id"]
        await curl(emulator, line, {**values, **fresh})


def test_the_manual_names_every_kind_with_a_line_and_every_member_of_a_fault() -> None:
    armed: set[str] = set()
    for body in re.findall(r"-d '([\[{].*?kind.*)'", "\n".join(LINES)):
        given = json.loads(re.sub(r"'\$[A-Z]+'", "x", body))
        armed |= {fault["kind"] for fault in (given if isinstance(given, list) else [given])}
    assert armed == set(KINDS)
    for name, kind in KINDS.items():
        (row,) = re.findall(rf"^\| `{name}` \| (.*) \|$", MANUAL, re.MULTILINE)
        shared = COMMON | set(ApiFault.__struct_fields__) | set(WebhookFault.__struct_fields__)
        for member in set(kind.__struct_fields__) - shared:
            assert f"`{member}`" in row or f'"{member}"' in row, (name, member)
    for member in COMMON | {"operation", "method", "path", "event"}:
        assert f"`{member}`" in MANUAL
    for operation in get_args(Operation):
        assert f"`{operation}`" in MANUAL


def test_every_endpoint_is_in_the_manual(emulator: Emulator) -> None:
    app = emulator.http._transport.app  # type: ignore[attr-defined]  # the fixture's transport calls the application itself
    placeholders = "ORDER|PAYMENT|HELD|FAILED|PENDING|REFUND"
    told = set()
    for line in LINES:
        path = re.sub(rf"\$({placeholders})|/faults/lag", lambda m: "/faults/{}" if m[1] is None else "{}", line)
        found = re.search(r"\$E(/[^ \"?]*)", path)
        assert found
        method = re.search(r"-X (\w+)", line)
        told.add((method[1] if method else "POST" if " -d " in line else "GET", found[1]))
    told.add(("GET", "/v1/payments/{}/refunds/{}"))
    routes = {
        (method, mount.path + re.sub(r"{\w+}", "{}", route.path))
        for mount in app.routes
        for route in mount.routes
        for method in route.methods - {"HEAD"}
    }
    assert told == routes


def test_the_flags_make_the_settings_the_manual_names() -> None:
    settings = parse([])
    for word in (f"{settings.host}:{settings.port}", settings.key_id, settings.key_secret, settings.webhook_secret):
        assert f"`{word}`" in MANUAL
    asked = parse(
        ["--clock-start", "5", "--manual-capture", "--unique-receipts", "--refunds-stay-pending", "--seed", "9"]
    )
    assert (asked.clock_start, asked.auto_capture, asked.enforce_unique_receipts) == (5, False, True)
    assert (asked.refunds_stay_pending, asked.seed) == (True, 9)


def test_a_wrong_flag_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--webhook-url", "ftp://x"])
    assert ended.value.code == 2
    assert "http or https URL" in capsys.readouterr().err
