"""IdentityService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from kapda.api.identity.v1 import identity_service_pb2 as pb
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceServicer
from kapda.domain.identity.use_cases.get_me import GetMeCommand
from kapda.domain.identity.use_cases.log_in import LoggedIn, LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOutCommand
from kapda.domain.identity.use_cases.sign_up import SignedUp, SignUpCommand
from kapda.domain.identity.user import User
from kapda.entrypoints.grpc.call import Context, caller
from kapda.entrypoints.grpc.translate.identity import tokens_to_proto, user_to_proto
from kapda.entrypoints.use_case import UseCase


class IdentityServicer(IdentityServiceServicer):
    """Accounts and sessions."""

    def __init__(
        self,
        *,
        sign_up: UseCase[SignUpCommand, SignedUp],
        log_in: UseCase[LogInCommand, LoggedIn],
        log_out: UseCase[LogOutCommand, None],
        get_me: UseCase[GetMeCommand, User],
    ) -> None:
        self._sign_up = sign_up
        self._log_in = log_in
        self._log_out = log_out
        self._get_me = get_me

    async def SignUp(self, request: pb.SignUpRequest, context: Context) -> pb.SignUpResponse:
        """Make an account."""
        made = await self._sign_up.execute(SignUpCommand(request.email, request.password, request.display_name))
        return pb.SignUpResponse(user=user_to_proto(made.user), tokens=tokens_to_proto(made.access_token))

    async def LogIn(self, request: pb.LogInRequest, context: Context) -> pb.LogInResponse:
        """Begin a session."""
        begun = await self._log_in.execute(LogInCommand(request.email, request.password))
        return pb.LogInResponse(user=user_to_proto(begun.user), tokens=tokens_to_proto(begun.access_token))

    async def LogOut(self, request: pb.LogOutRequest, context: Context) -> pb.LogOutResponse:
        """End the session."""
        await self._log_out.execute(LogOutCommand(caller()))
        return pb.LogOutResponse()

    async def GetMe(self, request: pb.GetMeRequest, context: Context) -> pb.GetMeResponse:
        """Who calls."""
        return pb.GetMeResponse(user=user_to_proto(await self._get_me.execute(GetMeCommand(caller()))))
