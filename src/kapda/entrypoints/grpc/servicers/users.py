"""UserService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.identity.v1 import user_service_pb2 as pb
from kapda.api.identity.v1.user_service_pb2_grpc import UserServiceServicer
from kapda.domain.identity.administration import ManagedUser
from kapda.domain.identity.session import Session
from kapda.domain.identity.use_cases.disable_user import DisableUserCommand
from kapda.domain.identity.use_cases.enable_user import EnableUserCommand
from kapda.domain.identity.use_cases.end_user_sessions import EndUserSessionsCommand
from kapda.domain.identity.use_cases.get_user import GetUserCommand
from kapda.domain.identity.use_cases.get_user_by_email import GetUserByEmailCommand
from kapda.domain.identity.use_cases.list_audit_entries import ListAuditEntriesCommand
from kapda.domain.identity.use_cases.list_user_sessions import ListUserSessionsCommand
from kapda.domain.identity.use_cases.set_user_role import SetUserRoleCommand
from kapda.domain.identity.use_cases.unlock_user import UnlockUserCommand
from kapda.domain.identity.user import EmailAddress
from kapda.domain.shared.audit import AuditEntry, AuditFilter
from kapda.domain.shared.ids import RequestId, UserId
from kapda.domain.shared.pages import Page
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, occasion, proof, value_of
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.translate.identity import role_from_proto, session_to_proto
from kapda.entrypoints.grpc.translate.users import audit_entry_to_proto, managed_user_to_proto
from kapda.entrypoints.use_case import UseCase


class UserServicer(UserServiceServicer):
    """Other people's accounts, for admins."""

    def __init__(
        self,
        *,
        get_user: UseCase[GetUserCommand, ManagedUser],
        get_user_by_email: UseCase[GetUserByEmailCommand, ManagedUser],
        set_user_role: UseCase[SetUserRoleCommand, Answer[ManagedUser]],
        disable_user: UseCase[DisableUserCommand, Answer[ManagedUser]],
        enable_user: UseCase[EnableUserCommand, Answer[ManagedUser]],
        list_user_sessions: UseCase[ListUserSessionsCommand, Page[Session]],
        end_user_sessions: UseCase[EndUserSessionsCommand, Answer[ManagedUser]],
        unlock_user: UseCase[UnlockUserCommand, Answer[ManagedUser]],
        list_audit_entries: UseCase[ListAuditEntriesCommand, Page[AuditEntry]],
        page_tokens: PageTokens,
    ) -> None:
        self._get_user = get_user
        self._get_user_by_email = get_user_by_email
        self._set_user_role = set_user_role
        self._disable_user = disable_user
        self._enable_user = enable_user
        self._list_user_sessions = list_user_sessions
        self._end_user_sessions = end_user_sessions
        self._unlock_user = unlock_user
        self._list_audit_entries = list_audit_entries
        self._page_tokens = page_tokens

    async def GetUser(self, request: pb.GetUserRequest, context: Context) -> pb.GetUserResponse:
        """One user."""
        user = await self._get_user.execute(GetUserCommand(_user_id(request.user_id)))
        return pb.GetUserResponse(user=managed_user_to_proto(user))

    async def GetUserByEmail(self, request: pb.GetUserByEmailRequest, context: Context) -> pb.GetUserByEmailResponse:
        """The user of an address."""
        user = await self._get_user_by_email.execute(GetUserByEmailCommand(EmailAddress(request.email)))
        return pb.GetUserByEmailResponse(user=managed_user_to_proto(user))

    async def SetUserRole(self, request: pb.SetUserRoleRequest, context: Context) -> pb.SetUserRoleResponse:
        """Another role."""
        answer = await self._set_user_role.execute(
            SetUserRoleCommand(
                caller(),
                occasion(request.reason),
                proof(),
                RequestId(UUID(request.request_id)),
                _user_id(request.user_id),
                role_from_proto(request.role),
            )
        )
        return pb.SetUserRoleResponse(user=managed_user_to_proto(value_of(answer)))

    async def DisableUser(self, request: pb.DisableUserRequest, context: Context) -> pb.DisableUserResponse:
        """Shut an account."""
        answer = await self._disable_user.execute(
            DisableUserCommand(
                caller(), occasion(request.reason), RequestId(UUID(request.request_id)), _user_id(request.user_id)
            )
        )
        return pb.DisableUserResponse(user=managed_user_to_proto(value_of(answer)))

    async def EnableUser(self, request: pb.EnableUserRequest, context: Context) -> pb.EnableUserResponse:
        """Open an account."""
        answer = await self._enable_user.execute(
            EnableUserCommand(
                caller(),
                occasion(request.reason),
                proof(),
                RequestId(UUID(request.request_id)),
                _user_id(request.user_id),
            )
        )
        return pb.EnableUserResponse(user=managed_user_to_proto(value_of(answer)))

    async def UnlockUser(self, request: pb.UnlockUserRequest, context: Context) -> pb.UnlockUserResponse:
        """Forget wrong passwords."""
        answer = await self._unlock_user.execute(
            UnlockUserCommand(
                caller(), occasion(request.reason), RequestId(UUID(request.request_id)), _user_id(request.user_id)
            )
        )
        return pb.UnlockUserResponse(user=managed_user_to_proto(value_of(answer)))

    async def ListUserSessions(
        self, request: pb.ListUserSessionsRequest, context: Context
    ) -> pb.ListUserSessionsResponse:
        """A page of a user's sessions, the latest log-in first."""
        owner = caller().user_id
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token, owner)
        command = ListUserSessionsCommand(occasion(request.reason), _user_id(request.user_id), wanted)
        page = await self._list_user_sessions.execute(command)
        return pb.ListUserSessionsResponse(
            sessions=[session_to_proto(session, None) for session in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor, owner),
        )

    async def EndUserSessions(self, request: pb.EndUserSessionsRequest, context: Context) -> pb.EndUserSessionsResponse:
        """Sign a user out everywhere."""
        answer = await self._end_user_sessions.execute(
            EndUserSessionsCommand(
                caller(), occasion(request.reason), RequestId(UUID(request.request_id)), _user_id(request.user_id)
            )
        )
        return pb.EndUserSessionsResponse(user=managed_user_to_proto(value_of(answer)))

    async def ListAuditEntries(
        self, request: pb.ListAuditEntriesRequest, context: Context
    ) -> pb.ListAuditEntriesResponse:
        """A page of the audit log, the newest entry first."""
        owner = caller().user_id
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token, owner)
        which = AuditFilter(
            UUID(request.subject_id) if request.subject_id else None,
            UUID(request.actor_id) if request.actor_id else None,
        )
        page = await self._list_audit_entries.execute(ListAuditEntriesCommand(which, wanted))
        return pb.ListAuditEntriesResponse(
            entries=[audit_entry_to_proto(entry) for entry in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor, owner),
        )


def _user_id(text: str) -> UserId:
    return UserId(UUID(text))
