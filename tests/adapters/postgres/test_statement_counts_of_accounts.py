"""F41: what accounts, keys and their administration ask of the database does not grow with what an account has."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import uuid4

from kapda.domain.identity.address_book import MAX_ADDRESSES, Label
from kapda.domain.identity.mailed_link import LinkPurpose, MailedLink
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile import ProfileChange
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.session import NOWHERE
from kapda.domain.identity.use_cases.add_address import AddAddressCommand
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.change_password import ChangePasswordCommand
from kapda.domain.identity.use_cases.confirm_email import ConfirmEmailCommand
from kapda.domain.identity.use_cases.delete_my_account import DeleteMyAccountCommand
from kapda.domain.identity.use_cases.disable_user import DisableUserCommand
from kapda.domain.identity.use_cases.enable_user import EnableUserCommand
from kapda.domain.identity.use_cases.end_user_sessions import EndUserSessionsCommand
from kapda.domain.identity.use_cases.export_my_data import ExportMyDataCommand
from kapda.domain.identity.use_cases.get_profile import GetProfileCommand
from kapda.domain.identity.use_cases.get_user import GetUserCommand
from kapda.domain.identity.use_cases.get_user_by_email import GetUserByEmailCommand
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKeyCommand
from kapda.domain.identity.use_cases.issue_signing_key import IssueSigningKeyCommand
from kapda.domain.identity.use_cases.list_addresses import ListAddressesCommand
from kapda.domain.identity.use_cases.list_api_keys import ListApiKeysCommand
from kapda.domain.identity.use_cases.list_audit_entries import ListAuditEntriesCommand
from kapda.domain.identity.use_cases.list_signing_keys import ListSigningKeysCommand
from kapda.domain.identity.use_cases.list_user_sessions import ListUserSessionsCommand
from kapda.domain.identity.use_cases.prefer_address import PreferAddressCommand
from kapda.domain.identity.use_cases.remove_address import RemoveAddressCommand
from kapda.domain.identity.use_cases.request_email_confirmation import RequestEmailConfirmationCommand
from kapda.domain.identity.use_cases.request_password_reset import RequestPasswordResetCommand
from kapda.domain.identity.use_cases.request_unlock import RequestUnlockCommand
from kapda.domain.identity.use_cases.reset_password import ResetPasswordCommand
from kapda.domain.identity.use_cases.revoke_api_key import RevokeApiKeyCommand
from kapda.domain.identity.use_cases.revoke_signing_key import RevokeSigningKeyCommand
from kapda.domain.identity.use_cases.rotate_api_key import RotateApiKeyCommand
from kapda.domain.identity.use_cases.set_user_role import SetUserRoleCommand
from kapda.domain.identity.use_cases.sign_up import SignUpCommand
from kapda.domain.identity.use_cases.unlock import UnlockCommand
from kapda.domain.identity.use_cases.unlock_user import UnlockUserCommand
from kapda.domain.identity.use_cases.update_address import UpdateAddressCommand
from kapda.domain.identity.use_cases.update_profile import UpdateProfileCommand
from kapda.domain.identity.user import DisplayName, EmailAddress, Role
from kapda.domain.shared.audit import AuditFilter, Occasion
from kapda.domain.shared.ids import LinkId
from kapda.domain.shared.pages import PageRequest
from kapda.entrypoints.container import Container
from tests.adapters.postgres.counting import Rows, rows
from tests.fakes.samples import HOME
from tests.shop.buyer import Buyer
from tests.shop.desk import a_proof
from tests.shop.devices import sign_in
from tests.shop.shop import Shop, new_request

__all__ = ["rows"]

PASSWORD, NEXT = "corridor-lantern-41-peacock", "monsoon-peacock-14-lantern"
PAGE = PageRequest(100)
Calls = dict[str, Callable[[], Awaitable[object]]]
# As in test_statement_counts.py.
COUNTS = {
    "get_profile": 1,
    "update_profile": 2,  # lock, save
    "export_my_data": 1,
    "list_addresses": 1,
    "add_address": 5,  # claim, lock the user, add, read the book, answer
    "update_address": 2,  # change, read the book
    "prefer_address": 2,
    "remove_address": 1,
    "request_email_confirmation": 1,  # mail
    "confirm_email": 4,  # link, lock the user; close the link, save
    "request_unlock": 1,
    "unlock": 5,  # link, lock the user; close the link, attempt, network
    "request_password_reset": 1,
    # link and user, before the password is hashed; both again, locked; close the link, save, end links, mail, end sessions;
    # attempt, network
    "reset_password": 11,
    # user, attempts of late; lock, save, end links, mail, end sessions; attempt, network
    "change_password": 9,
    "get_user": 1,
    "get_user_by_email": 1,
    # lock the admins and the user, nonce, claim; save, end signing keys, leave houses, audit, end sessions, answer
    "set_user_role": 10,
    "set_user_role back": 10,
    "disable_user": 8,  # the same without a nonce and houses
    "enable_user": 6,  # lock, nonce, claim; save, audit, answer
    "unlock_user": 5,  # claim, user; forget attempts, audit, answer
    "list_user_sessions": 3,  # user, page; audit
    "end_user_sessions": 5,  # claim, user; end sessions, audit, answer
    "list_audit_entries": 1,
    "issue_api_key": 3,  # service, key, audit
    "list_api_keys": 1,
    "rotate_api_key": 4,  # lock; the next one, save, audit
    "revoke_api_key": 3,
    "issue_signing_key": 3,  # user; key, audit
    "list_signing_keys": 1,
    "revoke_signing_key": 3,
    # user, attempts of late; lock, end sessions, each table that names the user, the account, what is open; attempt
    "delete_my_account": 18,
}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a password, as many devices as there are rows, a book of addresses and orders."""

    shop: Shop
    principal: Principal
    email: str

    async def link(self, purpose: LinkPurpose) -> str:
        """A link as it was mailed."""
        container, now = self.shop.container, self.shop.container.clock().now()
        token = container.link_tokens().token_for(LinkId(uuid4()), purpose)
        async with container.unit_of_work() as uow:
            made = MailedLink.made(token, purpose, self.principal.user_id, EmailAddress(self.email).key, now)
            await uow.mailed_links.add(made)
            await uow.commit()
        return token.text


async def _member(rows: Rows) -> Member:
    shop, email = rows.shop, f"{uuid4().hex}@example.com"
    made = await shop.container.sign_up().execute(SignUpCommand(email, PASSWORD, "Asha"))
    principal = await shop.container.authenticate().execute(AuthenticateCommand(made.tokens.access_token.text))
    for _ in range(rows.count):
        await sign_in(shop, principal.user_id)
    for _ in range(min(rows.count, MAX_ADDRESSES - 1)):
        await shop.container.add_address().execute(_an_address(principal))
    for _ in range(rows.count // 10):
        await Buyer(shop, principal.user_id).buys(rows.variants[0])
    return Member(shop, principal, email)


def _an_address(principal: Principal) -> AddAddressCommand:
    return AddAddressCommand(principal, new_request(), Label("Home"), HOME)


async def test_f41_accounts_do_not_grow_with_the_rows(rows: Rows) -> None:
    member, admin = await _member(rows), await rows.shop.admin()
    counted: dict[str, int] = {}
    for made in (_profile, _addresses, _passwords, _users, _keys, _end_of_account):
        for name, call in (await made(rows.shop.container, member, admin)).items():
            counted[name] = await rows.counted(call)

    assert counted == COUNTS


async def _profile(container: Container, member: Member, _: Principal) -> Calls:
    principal = member.principal
    etag = (await container.get_profile().execute(GetProfileCommand(principal))).etag
    change = ProfileChange(display_name=DisplayName("Asha Rao"))
    return {
        "get_profile": partial(container.get_profile().execute, GetProfileCommand(principal)),
        "update_profile": partial(container.update_profile().execute, UpdateProfileCommand(principal, change, etag)),
        "export_my_data": partial(container.export_my_data().execute, ExportMyDataCommand(principal)),
    }


async def _addresses(container: Container, member: Member, _: Principal) -> Calls:
    principal = member.principal
    book = await container.list_addresses().execute(ListAddressesCommand(principal))
    first, last = book[0], book[-1]
    update = UpdateAddressCommand(principal, first.id, Label("Work"), HOME, first.etag)
    return {
        "list_addresses": partial(container.list_addresses().execute, ListAddressesCommand(principal)),
        "add_address": partial(container.add_address().execute, _an_address(principal)),
        "update_address": partial(container.update_address().execute, update),
        "prefer_address": partial(container.prefer_address().execute, PreferAddressCommand(principal, last.id)),
        "remove_address": partial(container.remove_address().execute, RemoveAddressCommand(principal, last.id)),
    }


async def _passwords(container: Container, member: Member, _: Principal) -> Calls:
    principal, email = member.principal, member.email
    confirm, unlock, reset = [
        await member.link(purpose)
        for purpose in (LinkPurpose.CONFIRM_EMAIL, LinkPurpose.UNLOCK, LinkPurpose.RESET_PASSWORD)
    ]
    change = ChangePasswordCommand(principal, NEXT, PASSWORD, NOWHERE)
    return {
        "request_email_confirmation": partial(
            container.request_email_confirmation().execute, RequestEmailConfirmationCommand(principal)
        ),
        "confirm_email": partial(container.confirm_email().execute, ConfirmEmailCommand(principal, confirm)),
        "request_unlock": partial(container.request_unlock().execute, RequestUnlockCommand(email)),
        "unlock": partial(container.unlock().execute, UnlockCommand(unlock, NOWHERE)),
        "request_password_reset": partial(
            container.request_password_reset().execute, RequestPasswordResetCommand(email)
        ),
        "reset_password": partial(container.reset_password().execute, ResetPasswordCommand(reset, NEXT, NOWHERE)),
        "change_password": partial(container.change_password().execute, change),
    }


async def _users(container: Container, member: Member, admin: Principal) -> Calls:
    user, why = member.principal.user_id, Occasion(admin.actor, "call-12345678", "a test of counts")
    role = SetUserRoleCommand(admin, why, a_proof(admin), new_request(), user, Role.BRAND)
    back = SetUserRoleCommand(admin, why, a_proof(admin), new_request(), user, Role.CUSTOMER)
    enable = EnableUserCommand(admin, why, a_proof(admin), new_request(), user)
    return {
        "get_user": partial(container.get_user().execute, GetUserCommand(user)),
        "get_user_by_email": partial(
            container.get_user_by_email().execute, GetUserByEmailCommand(EmailAddress(member.email))
        ),
        "set_user_role": partial(container.set_user_role().execute, role),
        "set_user_role back": partial(container.set_user_role().execute, back),
        "disable_user": partial(container.disable_user().execute, DisableUserCommand(admin, why, new_request(), user)),
        "enable_user": partial(container.enable_user().execute, enable),
        "unlock_user": partial(container.unlock_user().execute, UnlockUserCommand(admin, why, new_request(), user)),
        "list_user_sessions": partial(container.list_user_sessions().execute, ListUserSessionsCommand(why, user, PAGE)),
        "end_user_sessions": partial(
            container.end_user_sessions().execute, EndUserSessionsCommand(admin, why, new_request(), user)
        ),
        "list_audit_entries": partial(
            container.list_audit_entries().execute, ListAuditEntriesCommand(AuditFilter(), PAGE)
        ),
    }


async def _keys(container: Container, member: Member, admin: Principal) -> Calls:
    why = Occasion(admin.actor, "call-12345678", "a test of counts")
    issue = partial(IssueApiKeyCommand, why, None, "reports", frozenset({Scope.REFUND}), None)
    issued = (await container.issue_api_key().execute(issue())).key
    overlap = timedelta(hours=1)
    to_revoke = (await container.issue_api_key().execute(issue())).key
    sign = IssueSigningKeyCommand(why, None, admin.user_id)
    signing = (await container.issue_signing_key().execute(sign)).key
    return {
        "issue_api_key": partial(container.issue_api_key().execute, issue()),
        "list_api_keys": partial(container.list_api_keys().execute, ListApiKeysCommand(PAGE)),
        "rotate_api_key": partial(
            container.rotate_api_key().execute, RotateApiKeyCommand(why, None, issued.id, overlap)
        ),
        "revoke_api_key": partial(container.revoke_api_key().execute, RevokeApiKeyCommand(why, to_revoke.id)),
        "issue_signing_key": partial(container.issue_signing_key().execute, sign),
        "list_signing_keys": partial(container.list_signing_keys().execute, ListSigningKeysCommand(PAGE)),
        "revoke_signing_key": partial(container.revoke_signing_key().execute, RevokeSigningKeyCommand(why, signing.id)),
    }


async def _end_of_account(container: Container, member: Member, _: Principal) -> Calls:
    delete = DeleteMyAccountCommand(member.principal, PASSWORD)
    return {"delete_my_account": partial(container.delete_my_account().execute, delete)}
