"""The contract's own rules: what holds for every method and every message of it."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from buf.validate import validate_pb2
from kapda.api.common.v1 import access_pb2, error_reason_pb2
from kapda.domain.shared.errors import Reason
from kapda.entrypoints.grpc.access_rules import read_rules
from kapda.entrypoints.grpc.services import SERVICES

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PREFIX = "ERROR_REASON_"
# Reasons that no domain error carries: the server's own.
SERVERS_OWN = {"DEADLINE_EXCEEDED", "INTERNAL"}
READS = ("Get", "List", "Search", "Check", "Explain", "Export")
# Posts that keep no request id: sessions are not money, a validation changes nothing, and a guest cart's token cannot be
# told twice.
# What sessions and carts make or end needs no second guard: the second time there is nothing left to do, or a grace.
WITHOUT_REQUEST_ID = {
    "SignUp",
    "LogIn",
    "RefreshSession",
    "LogOut",
    "LogOutEverywhere",
    "EndSession",
    "ValidateCart",
    "CreateGuestCart",
    # An etag, or the state itself, lets it happen once.
    "UpdateProfile",
    "UpdateAddress",
    "PreferAddress",
    "RemoveAddress",
    "DeleteMyAccount",
}
# A key's text is told once too. Revoking sets an end that stands: doing it again changes nothing and is not written down.
WITHOUT_REQUEST_ID |= {"IssueApiKey", "RotateApiKey", "RevokeApiKey", "IssueSigningKey", "RevokeSigningKey"}

# The old password, or the link, is good for one change; asking for a mail twice replaces the link in the first one.
WITHOUT_REQUEST_ID |= {"ChangePassword", "RequestPasswordReset", "ResetPassword"}
WITHOUT_REQUEST_ID |= {"RequestEmailConfirmation", "ConfirmEmail", "RequestUnlock", "Unlock"}

# Lists that one thing bounds: an order has no more refunds than pieces, but for a hand at the gateway's dashboard;
# an address book has twenty entries.
UNPAGED = {"ListRefunds", "ListAddresses"}


def services() -> Iterator[ServiceDescriptor]:
    """Every service that was generated."""
    for path in sorted((SOURCE / "kapda" / "api").rglob("*_service_pb2.py")):
        module = importlib.import_module(".".join(path.relative_to(SOURCE).with_suffix("").parts))
        yield from module.DESCRIPTOR.services_by_name.values()


METHODS = [method for service in services() for method in service.methods]


def bindings(method: MethodDescriptor) -> list[http_pb2.HttpRule]:
    """The REST mappings of a method, the main one first."""
    # google/api's wheel has no stubs, so nobody can know what the extension extends.
    extension: Any = annotations_pb2.http
    rule: http_pb2.HttpRule = method.GetOptions().Extensions[extension]
    return [rule, *rule.additional_bindings]


def path_of(rule: http_pb2.HttpRule) -> tuple[str, str]:
    """Verb and path of a mapping."""
    verb = rule.WhichOneof("pattern")
    return (verb or "", getattr(rule, verb) if verb else "")


def all_fields(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    """The fields of a message and of all messages in it."""
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        # A mask names fields, and its rule says which: nothing in it is anybody's text.
        if field.message_type is not None and field.message_type.full_name != "google.protobuf.FieldMask":
            yield from all_fields(field.message_type, seen)


def test_every_service_of_the_contract_can_be_served() -> None:
    assert {service.full_name for service in services()} == {service.descriptor.full_name for service in SERVICES}


def test_every_method_has_an_access_rule() -> None:
    assert len(read_rules(services())) == len(METHODS) > 0


def test_what_belongs_to_nobody_is_public_or_the_admins() -> None:
    for method in METHODS:
        access = method.GetOptions().Extensions[access_pb2.access]
        if access.audience == access_pb2.AUDIENCE_SIGNED_IN and method.containing_service.name != "IdentityService":
            assert access.owned, method.full_name


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
class TestEveryMethod:
    """Holds for each method."""

    def test_has_versioned_rest_paths_and_unversioned_aliases_only(self, method: MethodDescriptor) -> None:
        verb, path = path_of(bindings(method)[0])
        assert path.startswith("/api/v1/"), f"{verb} {path}"
        for rule in bindings(method)[1:]:
            assert path_of(rule)[1].startswith("/api/")

    def test_is_a_get_just_when_it_changes_nothing(self, method: MethodDescriptor) -> None:
        verbs = {path_of(rule)[0] for rule in bindings(method)}
        assert (verbs == {"get"}) == method.name.startswith(READS)

    def test_names_only_fields_of_its_request_in_paths(self, method: MethodDescriptor) -> None:
        names = {field.name for field in method.input_type.fields}
        for rule in bindings(method):
            assert set(re.findall(r"\{([^}]*)\}", path_of(rule)[1])) <= names

    def test_takes_a_request_id_where_it_changes_money_stock_or_cart(self, method: MethodDescriptor) -> None:
        field = method.input_type.fields_by_name.get("request_id")
        if method.name.startswith(READS) or method.name in WITHOUT_REQUEST_ID:
            assert field is None
        else:
            assert field is not None
            assert field.GetOptions().Extensions[validate_pb2.field].string.uuid

    def test_limits_every_text_and_every_list_it_takes(self, method: MethodDescriptor) -> None:
        for field in all_fields(method.input_type, set()):
            rules = field.GetOptions().Extensions[validate_pb2.field]
            if field.is_repeated:
                assert rules.repeated.max_items, field.full_name
                rules = rules.repeated.items
            if field.message_type is not None and field.message_type.full_name == "google.protobuf.FieldMask":
                assert getattr(rules.field_mask, "in"), field.full_name
            if field.type == FieldDescriptor.TYPE_STRING:
                text = rules.string
                assert text.uuid or text.max_len or text.pattern.startswith("^"), field.full_name

    def test_pages_its_lists_by_token(self, method: MethodDescriptor) -> None:
        if not method.name.startswith(("List", "Search")) or method.name in UNPAGED:
            return
        assert {"page_size", "page_token"} <= set(method.input_type.fields_by_name)
        assert "next_page_token" in method.output_type.fields_by_name


def test_no_two_methods_share_a_rest_path() -> None:
    paths = [path_of(rule) for method in METHODS for rule in bindings(method)]
    assert len(paths) == len(set(paths))


def test_no_field_of_the_contract_is_a_float() -> None:
    floats = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)
    for method in METHODS:
        for message in (method.input_type, method.output_type):
            for field in all_fields(message, set()):
                assert field.type not in floats, field.full_name


def test_reasons_of_the_domain_and_of_the_contract_are_the_same() -> None:
    names = set(error_reason_pb2.ErrorReason.keys()) - {f"{PREFIX}UNSPECIFIED"}
    assert {name.removeprefix(PREFIX) for name in names} == {reason.value for reason in Reason} | SERVERS_OWN


def test_every_reason_is_raised_somewhere() -> None:
    errors = SOURCE / "kapda" / "domain" / "shared" / "errors.py"
    written = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (SOURCE / "kapda").rglob("*.py")
        if path != errors and "api" not in path.relative_to(SOURCE / "kapda").parts[:1]
    )
    unused = {reason.name for reason in Reason if f"Reason.{reason.name}" not in written}
    assert unused == set()
