"""ProfileService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.identity.v1 import profile_service_pb2 as pb
from kapda.api.identity.v1.profile_service_pb2_grpc import ProfileServiceServicer
from kapda.domain.identity.address_book import Label, SavedAddress
from kapda.domain.identity.profile import Profile
from kapda.domain.identity.use_cases.add_address import AddAddressCommand
from kapda.domain.identity.use_cases.delete_my_account import DeleteMyAccountCommand
from kapda.domain.identity.use_cases.export_my_data import ExportMyDataCommand
from kapda.domain.identity.use_cases.get_profile import GetProfileCommand
from kapda.domain.identity.use_cases.list_addresses import ListAddressesCommand
from kapda.domain.identity.use_cases.prefer_address import PreferAddressCommand
from kapda.domain.identity.use_cases.remove_address import RemoveAddressCommand
from kapda.domain.identity.use_cases.update_address import UpdateAddressCommand
from kapda.domain.identity.use_cases.update_profile import UpdateProfileCommand
from kapda.domain.shared.ids import AddressId, RequestId
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, contact, value_of
from kapda.entrypoints.grpc.translate.profile import change_from_proto, profile_to_proto, saved_address_to_proto
from kapda.entrypoints.grpc.translate.values import address_from_proto
from kapda.entrypoints.use_case import UseCase


class ProfileServicer(ProfileServiceServicer):
    """What callers keep about themselves."""

    def __init__(
        self,
        *,
        get_profile: UseCase[GetProfileCommand, Profile],
        update_profile: UseCase[UpdateProfileCommand, Profile],
        list_addresses: UseCase[ListAddressesCommand, tuple[SavedAddress, ...]],
        add_address: UseCase[AddAddressCommand, Answer[SavedAddress]],
        update_address: UseCase[UpdateAddressCommand, SavedAddress],
        prefer_address: UseCase[PreferAddressCommand, SavedAddress],
        remove_address: UseCase[RemoveAddressCommand, None],
        export_my_data: UseCase[ExportMyDataCommand, str],
        delete_my_account: UseCase[DeleteMyAccountCommand, None],
    ) -> None:
        self._get_profile = get_profile
        self._update_profile = update_profile
        self._list_addresses = list_addresses
        self._add_address = add_address
        self._update_address = update_address
        self._prefer_address = prefer_address
        self._remove_address = remove_address
        self._export_my_data = export_my_data
        self._delete_my_account = delete_my_account

    async def GetProfile(self, request: pb.GetProfileRequest, context: Context) -> pb.GetProfileResponse:
        """The caller's profile."""
        profile = await self._get_profile.execute(GetProfileCommand(caller()))
        return pb.GetProfileResponse(profile=profile_to_proto(profile))

    async def UpdateProfile(self, request: pb.UpdateProfileRequest, context: Context) -> pb.UpdateProfileResponse:
        """Another name or number."""
        change = change_from_proto(request.profile, request.update_mask)
        profile = await self._update_profile.execute(UpdateProfileCommand(caller(), change, request.etag))
        return pb.UpdateProfileResponse(profile=profile_to_proto(profile))

    async def ListAddresses(self, request: pb.ListAddressesRequest, context: Context) -> pb.ListAddressesResponse:
        """The caller's address book."""
        found = await self._list_addresses.execute(ListAddressesCommand(caller()))
        return pb.ListAddressesResponse(addresses=[saved_address_to_proto(saved) for saved in found])

    async def AddAddress(self, request: pb.AddAddressRequest, context: Context) -> pb.AddAddressResponse:
        """A new entry."""
        answer = await self._add_address.execute(
            AddAddressCommand(
                principal=caller(),
                request_id=RequestId(UUID(request.request_id)),
                label=Label(request.label),
                address=address_from_proto(request.address),
            )
        )
        return pb.AddAddressResponse(address=saved_address_to_proto(value_of(answer)))

    async def UpdateAddress(self, request: pb.UpdateAddressRequest, context: Context) -> pb.UpdateAddressResponse:
        """An entry that reads otherwise."""
        saved = await self._update_address.execute(
            UpdateAddressCommand(
                principal=caller(),
                address_id=AddressId(UUID(request.address_id)),
                label=Label(request.label),
                address=address_from_proto(request.address),
                etag=request.etag,
            )
        )
        return pb.UpdateAddressResponse(address=saved_address_to_proto(saved))

    async def PreferAddress(self, request: pb.PreferAddressRequest, context: Context) -> pb.PreferAddressResponse:
        """The entry to offer first."""
        saved = await self._prefer_address.execute(PreferAddressCommand(caller(), AddressId(UUID(request.address_id))))
        return pb.PreferAddressResponse(address=saved_address_to_proto(saved))

    async def RemoveAddress(self, request: pb.RemoveAddressRequest, context: Context) -> pb.RemoveAddressResponse:
        """One entry less."""
        await self._remove_address.execute(RemoveAddressCommand(caller(), AddressId(UUID(request.address_id))))
        return pb.RemoveAddressResponse()

    async def ExportMyData(self, request: pb.ExportMyDataRequest, context: Context) -> pb.ExportMyDataResponse:
        """A copy of everything."""
        return pb.ExportMyDataResponse(document=await self._export_my_data.execute(ExportMyDataCommand(caller())))

    async def DeleteMyAccount(self, request: pb.DeleteMyAccountRequest, context: Context) -> pb.DeleteMyAccountResponse:
        """The end of the account."""
        await self._delete_my_account.execute(DeleteMyAccountCommand(caller(), request.password, contact()))
        return pb.DeleteMyAccountResponse()
