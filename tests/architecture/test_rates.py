"""Whoever tries secrets at us is counted: each method that checks, changes or sends one says so in the contract."""

from google.protobuf.descriptor import MethodDescriptor

from kapda.api.common.v1 import access_pb2
from tests.architecture.test_contract import METHODS

# All that names an account, or comes from one, is counted by that and the network; what carries only a token of 256 bits by
# the network, with all the others.
AUTH = {
    "IdentityService/SignUp",
    "PasswordService/ChangePassword",
    "PasswordService/RequestPasswordReset",
    "PasswordService/ResetPassword",
    "PasswordService/RequestEmailConfirmation",
    "PasswordService/ConfirmEmail",
    "PasswordService/RequestUnlock",
    "PasswordService/Unlock",
    "ProfileService/DeleteMyAccount",
}
# LogIn counts failures by itself, and five right log-ins are none of anybody's business.
AUTH_NETWORK = {"IdentityService/LogIn"}
REFRESH = {"IdentityService/RefreshSession"}
# All that is kept about a customer, and the proof from all rows.
EXPENSIVE = {"ProfileService/ExportMyData", "OpsService/CheckPromises"}


def name_of(method: MethodDescriptor) -> str:
    return f"{method.containing_service.name}/{method.name}"


def with_rate(rate: access_pb2.Rate.ValueType) -> set[str]:
    """The methods that declare it."""
    return {name_of(method) for method in METHODS if method.GetOptions().Extensions[access_pb2.access].rate == rate}


def takes_a_secret(method: MethodDescriptor) -> bool:
    """Whether its request carries something that no log may show."""
    return any(field.GetOptions().debug_redact for field in method.input_type.fields)


def test_the_methods_about_passwords_and_tokens_declare_their_rates() -> None:
    assert with_rate(access_pb2.RATE_AUTH) == AUTH
    assert with_rate(access_pb2.RATE_AUTH_NETWORK) == AUTH_NETWORK
    assert with_rate(access_pb2.RATE_REFRESH) == REFRESH


def test_what_costs_much_declares_it() -> None:
    assert with_rate(access_pb2.RATE_EXPENSIVE) == EXPENSIVE


def test_no_method_that_takes_a_secret_or_has_one_mailed_is_without_such_a_rate() -> None:
    taking = {name_of(method) for method in METHODS if takes_a_secret(method)}
    mailing = {name_of(method) for method in METHODS if method.containing_service.name == "PasswordService"}
    assert len(taking) >= 7
    assert taking | mailing <= AUTH | AUTH_NETWORK | REFRESH
