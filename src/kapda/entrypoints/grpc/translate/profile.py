"""Profiles and address books."""

from google.protobuf.field_mask_pb2 import FieldMask

from kapda.api.identity.v1 import profile_pb2
from kapda.domain.identity.address_book import SavedAddress
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.profile import Profile, ProfileChange
from kapda.domain.identity.user import DisplayName
from kapda.entrypoints.grpc.translate.values import address_to_proto, timestamp, timestamp_or_none


def profile_to_proto(profile: Profile) -> profile_pb2.Profile:
    """A profile; no number is an empty text."""
    return profile_pb2.Profile(
        email=profile.email.text,
        display_name=profile.display_name.text,
        phone="" if profile.phone is None else profile.phone.text,
        etag=profile.etag,
        create_time=timestamp(profile.created_at),
        email_confirm_time=timestamp_or_none(profile.email_confirmed_at),
    )


def change_from_proto(profile: profile_pb2.Profile, mask: FieldMask) -> ProfileChange:
    """What the mask names. Raises InvalidArgumentError (VALIDATION_FAILED)."""
    sets_phone = "phone" in mask.paths
    return ProfileChange(
        display_name=DisplayName(profile.display_name) if "display_name" in mask.paths else None,
        phone=PhoneNumber(profile.phone) if sets_phone and profile.phone else None,
        sets_phone=sets_phone,
    )


def saved_address_to_proto(saved: SavedAddress) -> profile_pb2.SavedAddress:
    """An entry of an address book."""
    return profile_pb2.SavedAddress(
        id=str(saved.id),
        label=saved.label.text,
        address=address_to_proto(saved.address),
        preferred=saved.preferred,
        etag=saved.etag,
        create_time=timestamp(saved.created_at),
    )
