"""Profiles, address books and the end of an account, on fakes: each answer, each refusal, nothing left behind."""

import json
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import pytest

from kapda.domain.identity.address_book import MAX_ADDRESSES, Label, SavedAddress
from kapda.domain.identity.erasure import OpenBusiness
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile import ProfileChange
from kapda.domain.identity.session import Session
from kapda.domain.identity.use_cases.add_address import AddAddress, AddAddressCommand
from kapda.domain.identity.use_cases.delete_my_account import DeleteMyAccount, DeleteMyAccountCommand
from kapda.domain.identity.use_cases.export_my_data import ExportMyData, ExportMyDataCommand
from kapda.domain.identity.use_cases.get_profile import GetProfile, GetProfileCommand
from kapda.domain.identity.use_cases.list_addresses import ListAddresses, ListAddressesCommand
from kapda.domain.identity.use_cases.password_confirmation import PasswordConfirmation
from kapda.domain.identity.use_cases.prefer_address import PreferAddress, PreferAddressCommand
from kapda.domain.identity.use_cases.remove_address import RemoveAddress, RemoveAddressCommand
from kapda.domain.identity.use_cases.update_address import UpdateAddress, UpdateAddressCommand
from kapda.domain.identity.use_cases.update_profile import UpdateProfile, UpdateProfileCommand
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.address import Address
from kapda.domain.shared.errors import DomainError, Reason
from kapda.domain.shared.ids import AddressId, RequestId, SessionId, UserId
from kapda.domain.shared.request_log import Answer
from tests.fakes.identity import CountingIds, InMemoryRevokedTokens, ReadablePasswordHasher, SettableClock
from tests.fakes.log_ins import open_guard
from tests.fakes.profiles import InMemoryProfileUnitOfWork, ListedPhoneNumbers, ProfileTables
from tests.fakes.samples import HOME

ASHA, BINOD = (
    Principal(UserId(UUID(int=number)), Role.CUSTOMER, SessionId(UUID(int=10 + number))) for number in (1, 2)
)
NOBODY = Principal(UserId(UUID(int=9)), Role.CUSTOMER, SessionId(UUID(int=19)))
NO_TELEPHONE = "+910000000000"
PASSWORD = "Kurta-and-9-yards"


@dataclass
class Desk:
    """Two customers, and everything they can do with what they keep."""

    tables: ProfileTables = field(default_factory=ProfileTables)
    clock: SettableClock = field(default_factory=SettableClock)
    ids: CountingIds = field(default_factory=CountingIds)
    phone_numbers: ListedPhoneNumbers = field(default_factory=ListedPhoneNumbers)
    revoked: InMemoryRevokedTokens = field(default_factory=InMemoryRevokedTokens)

    def __post_init__(self) -> None:
        for principal, name in ((ASHA, "Asha"), (BINOD, "Binod")):
            email = EmailAddress(f"{name.lower()}@example.in")
            self.tables.users[principal.user_id] = User.signed_up(
                principal.user_id, email, DisplayName(name), f"1:{PASSWORD}", self.clock.now()
            )
            self.tables.sessions[principal.session_id] = Session.start(
                principal.session_id, principal.user_id, self.clock.now()
            )

    def unit_of_work(self) -> InMemoryProfileUnitOfWork:
        return InMemoryProfileUnitOfWork(self.tables)

    async def update(self, change: ProfileChange, etag: str = "v1") -> None:
        use_case = UpdateProfile(self.unit_of_work, self.phone_numbers, self.clock)
        await use_case.execute(UpdateProfileCommand(ASHA, change, etag))

    async def add(
        self, label: str = "Home", address: Address = HOME, request: UUID | None = None, who: Principal = ASHA
    ) -> Answer[SavedAddress]:
        use_case = AddAddress(self.unit_of_work, self.phone_numbers, self.ids, self.clock)
        return await use_case.execute(AddAddressCommand(who, RequestId(request or uuid4()), Label(label), address))

    async def replace(self, saved: SavedAddress, address: Address, etag: str = "v1", who: Principal = ASHA) -> None:
        use_case = UpdateAddress(self.unit_of_work, self.phone_numbers)
        await use_case.execute(UpdateAddressCommand(who, saved.id, Label("Work"), address, etag))

    async def book(self, who: Principal = ASHA) -> tuple[SavedAddress, ...]:
        return await ListAddresses(self.unit_of_work).execute(ListAddressesCommand(who))

    async def delete(self, password: str = PASSWORD, who: Principal = ASHA) -> None:
        guard = open_guard(self.unit_of_work, self.ids, self.clock)
        confirmation = PasswordConfirmation(self.unit_of_work, guard, ReadablePasswordHasher())
        use_case = DeleteMyAccount(self.unit_of_work, confirmation, self.revoked, self.clock)
        await use_case.execute(DeleteMyAccountCommand(who, password))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_profile_is_read_and_changed(desk: Desk) -> None:
    await desk.update(ProfileChange(DisplayName("Asha Rao"), PhoneNumber("+919820012345"), sets_phone=True))
    profile = await GetProfile(desk.unit_of_work).execute(GetProfileCommand(ASHA))
    assert (profile.display_name.text, profile.phone, profile.etag) == (
        "Asha Rao",
        PhoneNumber("+919820012345"),
        "v2",
    )


async def test_a_profile_changed_meanwhile_is_not_changed_again(desk: Desk) -> None:
    await desk.update(ProfileChange(DisplayName("Asha Rao")))
    with pytest.raises(DomainError) as refusal:
        await desk.update(ProfileChange(DisplayName("Asha R.")))
    assert (refusal.value.reason, refusal.value.metadata) == (Reason.ETAG_MISMATCH, {"etag": "v2"})
    assert desk.tables.users[ASHA.user_id].display_name.text == "Asha Rao"


async def test_a_number_that_no_telephone_has_is_refused_everywhere(desk: Desk) -> None:
    saved = (await desk.add()).value
    nowhere = replace(HOME, phone=NO_TELEPHONE)
    calls = (
        desk.update(ProfileChange(phone=PhoneNumber(NO_TELEPHONE), sets_phone=True)),
        desk.add(address=nowhere),
        desk.replace(saved, nowhere),
    )
    fields = []
    for call in calls:
        with pytest.raises(DomainError) as refusal:
            await call
        fields += [violation.field for violation in refusal.value.violations]
    assert fields == ["phone", "address.phone", "address.phone"]
    assert await desk.book() == (saved,)


async def test_without_an_account_there_is_no_profile_and_no_book_to_fill(desk: Desk) -> None:
    with pytest.raises(DomainError) as refusal:
        await GetProfile(desk.unit_of_work).execute(GetProfileCommand(NOBODY))
    assert refusal.value.reason is Reason.SESSION_REVOKED
    with pytest.raises(DomainError) as refusal:
        await desk.add(who=NOBODY)
    assert refusal.value.reason is Reason.SESSION_REVOKED
    update = UpdateProfile(desk.unit_of_work, desk.phone_numbers, desk.clock)
    with pytest.raises(DomainError) as refusal:
        await update.execute(UpdateProfileCommand(NOBODY, ProfileChange(), "v1"))
    assert refusal.value.reason is Reason.SESSION_REVOKED


async def test_an_entry_is_added_once_a_request_id(desk: Desk) -> None:
    request = uuid4()
    first = await desk.add(request=request)
    again = await desk.add(request=request)
    assert (first.replayed, again.replayed, again.value) == (False, True, first.value)
    assert await desk.book() == (first.value,)
    with pytest.raises(DomainError) as refusal:
        await desk.add(label="Elsewhere", request=request)
    assert refusal.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_full_book_takes_no_more_and_the_request_id_stays_free(desk: Desk) -> None:
    request = uuid4()
    saved = [(await desk.add(f"Door {number}")).value for number in range(MAX_ADDRESSES)]
    with pytest.raises(DomainError) as refusal:
        await desk.add(request=request)
    assert refusal.value.reason is Reason.ADDRESS_LIMIT_EXCEEDED
    await RemoveAddress(desk.unit_of_work).execute(RemoveAddressCommand(ASHA, saved[0].id))
    assert not (await desk.add(request=request)).replayed


async def test_an_entry_is_replaced_preferred_and_removed(desk: Desk) -> None:
    home, work = (await desk.add("Home")).value, (await desk.add("Work")).value
    assert (home.preferred, work.preferred) == (True, False)
    await desk.replace(work, replace(HOME, line1="3 Law College Road"))
    prefer = PreferAddress(desk.unit_of_work, desk.clock)
    assert (await prefer.execute(PreferAddressCommand(ASHA, work.id))).preferred
    assert [saved.id for saved in await desk.book()] == [work.id, home.id]
    await RemoveAddress(desk.unit_of_work).execute(RemoveAddressCommand(ASHA, work.id))
    assert [(saved.id, saved.preferred) for saved in await desk.book()] == [(home.id, True)]


async def test_anothers_entry_is_one_that_does_not_exist(desk: Desk) -> None:
    saved = (await desk.add()).value
    for address_id, who in ((saved.id, BINOD), (AddressId(uuid4()), ASHA)):
        calls = (
            desk.replace(replace(saved, id=address_id), HOME, who=who),
            PreferAddress(desk.unit_of_work, desk.clock).execute(PreferAddressCommand(who, address_id)),
            RemoveAddress(desk.unit_of_work).execute(RemoveAddressCommand(who, address_id)),
        )
        for call in calls:
            with pytest.raises(DomainError) as refusal:
                await call
            assert refusal.value.reason is Reason.ADDRESS_NOT_FOUND
            assert refusal.value.metadata == {"address_id": str(address_id)}
    assert await desk.book() == (saved,)


async def test_an_entry_changed_meanwhile_is_not_replaced(desk: Desk) -> None:
    saved = (await desk.add()).value
    await desk.replace(saved, HOME)
    with pytest.raises(DomainError) as refusal:
        await desk.replace(saved, HOME)
    assert (refusal.value.reason, refusal.value.metadata) == (Reason.ETAG_MISMATCH, {"etag": "v2"})


async def test_everybody_gets_a_copy_of_their_own_data(desk: Desk) -> None:
    document = json.loads(await ExportMyData(desk.unit_of_work).execute(ExportMyDataCommand(BINOD)))
    assert document["account"]["email"] == "binod@example.in"


async def test_a_deleted_account_is_nobodys_and_its_sessions_are_over(desk: Desk) -> None:
    await desk.add()
    await desk.delete()
    user = desk.tables.users[ASHA.user_id]
    assert (user.status, user.password_hash) == (UserStatus.DELETED, "")
    assert not desk.tables.sessions[ASHA.session_id].is_active(desk.clock.now())
    assert desk.revoked.entries == {ASHA.session_id}
    assert desk.tables.sessions[BINOD.session_id].is_active(desk.clock.now())
    assert await desk.book() == ()


async def test_a_wrong_password_deletes_nothing(desk: Desk) -> None:
    with pytest.raises(DomainError) as refusal:
        await desk.delete("Kurta-and-9-metres")
    assert refusal.value.reason is Reason.CREDENTIALS_INVALID
    assert desk.tables.users[ASHA.user_id].status is UserStatus.ACTIVE
    assert desk.revoked.entries == set()


async def test_an_account_with_business_under_way_stays_whole(desk: Desk) -> None:
    desk.tables.business[ASHA.user_id] = OpenBusiness(1, 0, 0)
    saved = (await desk.add()).value
    with pytest.raises(DomainError) as refusal:
        await desk.delete()
    assert refusal.value.reason is Reason.ACCOUNT_IN_USE
    assert desk.tables.users[ASHA.user_id].email.text == "asha@example.in"
    assert desk.tables.sessions[ASHA.session_id].is_active(desk.clock.now())
    assert await desk.book() == (saved,)


async def test_an_account_that_is_gone_cannot_be_deleted_again(desk: Desk) -> None:
    await desk.delete()
    with pytest.raises(DomainError) as refusal:
        await desk.delete()
    assert refusal.value.reason is Reason.SESSION_REVOKED
