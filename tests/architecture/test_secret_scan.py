"""The scan of `make check` finds what must never be committed."""

import secrets
from pathlib import Path

import pytest

from tools.secret_scan import scan

# Not by chance: the detector takes one random text in fifty for none.
MADE_UP = "rB7x" + "Qm2v" + "Lw9d" + "Zk4p"
PLANTED = {
    "password": f'DATABASE_PASSWORD = "{MADE_UP}"\n',
    "weak password": 'password = "{}"\n'.format("tiger" + "1234"),
    "address": f"KAPDA_DATABASE_URL=postgresql://kapda:{MADE_UP}@db/kapda\n",
    "gateway key": "key = 'rzp_" + "live_" + secrets.token_hex(7) + "'\n",
    "cloud key": 'key = "AKIA' + "Q3EGRXW5IF7T" + '2LMN"\n',
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE\n",
    "token": "jwt = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    + secrets.token_hex(20)
    + "'\n",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found(tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f"first = 1\n{PLANTED[kind]}")

    assert scan([str(file)]) != 0
    assert f"{file}:2" in capfd.readouterr().out


def test_placeholders_and_names_are_no_secrets(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text('password = "PASSWORD_TOO_WEAK"\nsecret = "a newer secret"\npassword = "new"\n')

    assert scan([str(file)]) == 0
