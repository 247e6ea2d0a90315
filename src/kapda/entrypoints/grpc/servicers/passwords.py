"""PasswordService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from kapda.api.identity.v1 import password_service_pb2 as pb
from kapda.api.identity.v1.password_service_pb2_grpc import PasswordServiceServicer
from kapda.domain.identity.use_cases.change_password import ChangePasswordCommand
from kapda.domain.identity.use_cases.confirm_email import ConfirmEmailCommand
from kapda.domain.identity.use_cases.request_email_confirmation import RequestEmailConfirmationCommand
from kapda.domain.identity.use_cases.request_password_reset import RequestPasswordResetCommand
from kapda.domain.identity.use_cases.request_unlock import RequestUnlockCommand
from kapda.domain.identity.use_cases.reset_password import ResetPasswordCommand
from kapda.domain.identity.use_cases.unlock import UnlockCommand
from kapda.entrypoints.grpc.call import Context, caller, contact
from kapda.entrypoints.use_case import UseCase


class PasswordServicer(PasswordServiceServicer):
    """Passwords, and what is proved by mail."""

    def __init__(
        self,
        *,
        change_password: UseCase[ChangePasswordCommand, None],
        request_password_reset: UseCase[RequestPasswordResetCommand, None],
        reset_password: UseCase[ResetPasswordCommand, None],
        request_email_confirmation: UseCase[RequestEmailConfirmationCommand, None],
        confirm_email: UseCase[ConfirmEmailCommand, None],
        request_unlock: UseCase[RequestUnlockCommand, None],
        unlock: UseCase[UnlockCommand, None],
    ) -> None:
        self._change_password = change_password
        self._request_password_reset = request_password_reset
        self._reset_password = reset_password
        self._request_email_confirmation = request_email_confirmation
        self._confirm_email = confirm_email
        self._request_unlock = request_unlock
        self._unlock = unlock

    async def ChangePassword(self, request: pb.ChangePasswordRequest, context: Context) -> pb.ChangePasswordResponse:
        """Another password."""
        await self._change_password.execute(
            ChangePasswordCommand(caller(), request.old_password, request.new_password, contact())
        )
        return pb.ChangePasswordResponse()

    async def RequestPasswordReset(
        self, request: pb.RequestPasswordResetRequest, context: Context
    ) -> pb.RequestPasswordResetResponse:
        """A link by mail, perhaps."""
        await self._request_password_reset.execute(RequestPasswordResetCommand(request.email))
        return pb.RequestPasswordResetResponse()

    async def ResetPassword(self, request: pb.ResetPasswordRequest, context: Context) -> pb.ResetPasswordResponse:
        """A new password by a link."""
        await self._reset_password.execute(ResetPasswordCommand(request.token, request.new_password, contact()))
        return pb.ResetPasswordResponse()

    async def RequestEmailConfirmation(
        self, request: pb.RequestEmailConfirmationRequest, context: Context
    ) -> pb.RequestEmailConfirmationResponse:
        """A link by mail to the caller."""
        await self._request_email_confirmation.execute(RequestEmailConfirmationCommand(caller()))
        return pb.RequestEmailConfirmationResponse()

    async def ConfirmEmail(self, request: pb.ConfirmEmailRequest, context: Context) -> pb.ConfirmEmailResponse:
        """An address confirmed."""
        await self._confirm_email.execute(ConfirmEmailCommand(caller(), request.token))
        return pb.ConfirmEmailResponse()

    async def RequestUnlock(self, request: pb.RequestUnlockRequest, context: Context) -> pb.RequestUnlockResponse:
        """A link by mail, perhaps."""
        await self._request_unlock.execute(RequestUnlockCommand(request.email))
        return pb.RequestUnlockResponse()

    async def Unlock(self, request: pb.UnlockRequest, context: Context) -> pb.UnlockResponse:
        """Open the account to log-ins from here, by a link."""
        await self._unlock.execute(UnlockCommand(request.token, contact()))
        return pb.UnlockResponse()
