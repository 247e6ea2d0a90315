"""IdentityService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.identity.v1 import identity_service_pb2 as pb
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceServicer
from kapda.domain.identity.refresh import RefreshSecret, SessionTokens
from kapda.domain.identity.session import Session
from kapda.domain.identity.use_cases.end_session import EndSessionCommand
from kapda.domain.identity.use_cases.get_me import GetMeCommand
from kapda.domain.identity.use_cases.list_sessions import ListSessionsCommand
from kapda.domain.identity.use_cases.log_in import LoggedIn, LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOutCommand
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhereCommand
from kapda.domain.identity.use_cases.refresh_session import RefreshSessionCommand
from kapda.domain.identity.use_cases.sign_up import SignedUp, SignUpCommand
from kapda.domain.identity.user import User
from kapda.domain.shared.ids import SessionId
from kapda.domain.shared.pages import Page
from kapda.entrypoints.grpc.call import Context, caller, contact, current
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.translate.identity import session_to_proto, tokens_to_proto, user_to_proto
from kapda.entrypoints.use_case import UseCase


class IdentityServicer(IdentityServiceServicer):
    """Accounts and sessions."""

    def __init__(
        self,
        *,
        sign_up: UseCase[SignUpCommand, SignedUp],
        log_in: UseCase[LogInCommand, LoggedIn],
        refresh_session: UseCase[RefreshSessionCommand, SessionTokens],
        log_out: UseCase[LogOutCommand, None],
        log_out_everywhere: UseCase[LogOutEverywhereCommand, None],
        list_sessions: UseCase[ListSessionsCommand, Page[Session]],
        end_session: UseCase[EndSessionCommand, None],
        get_me: UseCase[GetMeCommand, User],
        page_tokens: PageTokens,
    ) -> None:
        self._sign_up = sign_up
        self._log_in = log_in
        self._refresh_session = refresh_session
        self._log_out = log_out
        self._log_out_everywhere = log_out_everywhere
        self._list_sessions = list_sessions
        self._end_session = end_session
        self._get_me = get_me
        self._page_tokens = page_tokens

    async def SignUp(self, request: pb.SignUpRequest, context: Context) -> pb.SignUpResponse:
        """Make an account."""
        command = SignUpCommand(request.email, request.password, request.display_name, contact())
        made = await self._sign_up.execute(command)
        return pb.SignUpResponse(user=user_to_proto(made.user), tokens=tokens_to_proto(made.tokens))

    async def LogIn(self, request: pb.LogInRequest, context: Context) -> pb.LogInResponse:
        """Begin a session."""
        begun = await self._log_in.execute(LogInCommand(request.email, request.password, contact()))
        return pb.LogInResponse(user=user_to_proto(begun.user), tokens=tokens_to_proto(begun.tokens))

    async def RefreshSession(self, request: pb.RefreshSessionRequest, context: Context) -> pb.RefreshSessionResponse:
        """Exchange a refresh token for the next pair."""
        command = RefreshSessionCommand(RefreshSecret(request.refresh_token), current().request_id, contact())
        return pb.RefreshSessionResponse(tokens=tokens_to_proto(await self._refresh_session.execute(command)))

    async def LogOut(self, request: pb.LogOutRequest, context: Context) -> pb.LogOutResponse:
        """End the session."""
        await self._log_out.execute(LogOutCommand(caller()))
        return pb.LogOutResponse()

    async def LogOutEverywhere(
        self, request: pb.LogOutEverywhereRequest, context: Context
    ) -> pb.LogOutEverywhereResponse:
        """End all sessions of the caller, or all others."""
        await self._log_out_everywhere.execute(LogOutEverywhereCommand(caller(), request.keep_current))
        return pb.LogOutEverywhereResponse()

    async def ListSessions(self, request: pb.ListSessionsRequest, context: Context) -> pb.ListSessionsResponse:
        """A page of the caller's sessions."""
        owner = caller()
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token, owner.user_id)
        page = await self._list_sessions.execute(ListSessionsCommand(owner.user_id, wanted))
        return pb.ListSessionsResponse(
            sessions=[session_to_proto(session, owner.session_id) for session in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor, owner.user_id),
        )

    async def EndSession(self, request: pb.EndSessionRequest, context: Context) -> pb.EndSessionResponse:
        """End one session of the caller."""
        await self._end_session.execute(EndSessionCommand(caller().user_id, SessionId(UUID(request.session_id))))
        return pb.EndSessionResponse()

    async def GetMe(self, request: pb.GetMeRequest, context: Context) -> pb.GetMeResponse:
        """Who calls."""
        return pb.GetMeResponse(user=user_to_proto(await self._get_me.execute(GetMeCommand(caller()))))
