"""The wiring: which adapter stands behind which port. A plain table; the only place that imports adapters.

Four ways to the database: `engine` for ordinary transactions, `stock_engine` for the writes that take stock (a small
pool of its own is their admission control), `catalog_engine` for browsing, and `reads`, which share the first one's
connections without a transaction around them.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from dependency_injector import containers, providers
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.crypto.api_key_texts import RandomApiKeyTexts
from kapda.adapters.crypto.argon2_hasher import Argon2PasswordHasher
from kapda.adapters.crypto.guest_tokens import RandomGuestTokens
from kapda.adapters.crypto.identifier_digests import HmacIdentifierDigests
from kapda.adapters.crypto.jwt_tokens import JwtAccessTokens
from kapda.adapters.crypto.key_ring import KeyRing, SigningKey
from kapda.adapters.crypto.link_tokens import HmacLinkTokens
from kapda.adapters.crypto.refresh_secrets import RandomRefreshSecrets
from kapda.adapters.crypto.signing_secrets import DerivedSigningSecrets
from kapda.adapters.crypto.zxcvbn_strength import ZxcvbnStrength
from kapda.adapters.mail.jinja_composer import JinjaComposer
from kapda.adapters.mail.mailbox_sender import MailboxSender
from kapda.adapters.mail.mime import Sender
from kapda.adapters.mail.smtp_sender import Security, SmtpSender, SmtpServer
from kapda.adapters.pgqueuer.listener import JobListener
from kapda.adapters.pgqueuer.notifier import JobNotifier
from kapda.adapters.pgqueuer.runner import JobRunner
from kapda.adapters.phones.numbering_plans import NumberingPlans
from kapda.adapters.postgres.api_keys import PostgresKeyUses
from kapda.adapters.postgres.catalog import PostgresProducts
from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.engine import CATALOG_POOL_SIZE, STOCK_POOL_SIZE, Plans, make_engine
from kapda.adapters.postgres.promises import PostgresPromiseAuditor
from kapda.adapters.postgres.retention import PostgresRetention
from kapda.adapters.postgres.schema import upgrade
from kapda.adapters.postgres.seed.plan import PasswordHashes
from kapda.adapters.postgres.seed.seed import SeedSummary, seed
from kapda.adapters.postgres.sessions import PostgresSessionReader
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.adapters.postgres.webhook_silence import PostgresUnannouncedPayments
from kapda.adapters.razorpay.gateway import RazorpayGateway
from kapda.adapters.razorpay.pool import RazorpayAccess
from kapda.adapters.razorpay.signatures import HmacCheckoutSignatures, HmacWebhookSignatures
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.event_stream import RedisEventStream
from kapda.adapters.redis.log_in_counters import RedisLogInCounters
from kapda.adapters.redis.rate_limits import RedisRateLimits
from kapda.adapters.redis.revoked_tokens import RedisRevokedTokens
from kapda.adapters.system.clock import SystemClock
from kapda.adapters.system.ids import Uuid7Generator
from kapda.domain.cart.use_cases.add_item import AddItem
from kapda.domain.cart.use_cases.cart_editor import CartEditor
from kapda.domain.cart.use_cases.change_item import ChangeItem
from kapda.domain.cart.use_cases.clear_cart import ClearCart
from kapda.domain.cart.use_cases.create_guest_cart import CreateGuestCart
from kapda.domain.cart.use_cases.expire_carts import ExpireCarts
from kapda.domain.cart.use_cases.get_cart import GetCart
from kapda.domain.cart.use_cases.identify_guest import IdentifyGuest
from kapda.domain.cart.use_cases.merge_guest_cart import MergeGuestCart
from kapda.domain.cart.use_cases.remove_item import RemoveItem
from kapda.domain.cart.use_cases.validate_cart import ValidateCart
from kapda.domain.catalog.use_cases.get_product import GetProduct
from kapda.domain.catalog.use_cases.list_products import ListProducts
from kapda.domain.catalog.use_cases.search_products import SearchProducts
from kapda.domain.checkout.policy import ShippingPolicy
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckout
from kapda.domain.checkout.use_cases.get_checkout import GetCheckout
from kapda.domain.checkout.use_cases.open_at_gateway import OpenAtGateway
from kapda.domain.checkout.use_cases.start_checkout import StartCheckout
from kapda.domain.identity.use_cases.add_address import AddAddress
from kapda.domain.identity.use_cases.add_house_member import AddHouseMember
from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.use_cases.authenticate import Authenticate
from kapda.domain.identity.use_cases.authenticate_api_key import AuthenticateApiKey
from kapda.domain.identity.use_cases.change_password import ChangePassword
from kapda.domain.identity.use_cases.confirm_email import ConfirmEmail
from kapda.domain.identity.use_cases.create_admin import CreateAdmin
from kapda.domain.identity.use_cases.delete_my_account import DeleteMyAccount
from kapda.domain.identity.use_cases.disable_user import DisableUser
from kapda.domain.identity.use_cases.enable_user import EnableUser
from kapda.domain.identity.use_cases.end_session import EndSession
from kapda.domain.identity.use_cases.end_user_sessions import EndUserSessions
from kapda.domain.identity.use_cases.export_my_data import ExportMyData
from kapda.domain.identity.use_cases.follow_link import FollowLink
from kapda.domain.identity.use_cases.get_me import GetMe
from kapda.domain.identity.use_cases.get_profile import GetProfile
from kapda.domain.identity.use_cases.get_user import GetUser
from kapda.domain.identity.use_cases.get_user_by_email import GetUserByEmail
from kapda.domain.identity.use_cases.house_editor import HouseEditor
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKey
from kapda.domain.identity.use_cases.issue_signing_key import IssueSigningKey
from kapda.domain.identity.use_cases.list_addresses import ListAddresses
from kapda.domain.identity.use_cases.list_api_keys import ListApiKeys
from kapda.domain.identity.use_cases.list_audit_entries import ListAuditEntries
from kapda.domain.identity.use_cases.list_sessions import ListSessions
from kapda.domain.identity.use_cases.list_signing_keys import ListSigningKeys
from kapda.domain.identity.use_cases.list_user_sessions import ListUserSessions
from kapda.domain.identity.use_cases.log_in import LogIn
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.use_cases.log_out import LogOut
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhere
from kapda.domain.identity.use_cases.password_changer import PasswordChanger
from kapda.domain.identity.use_cases.password_confirmation import PasswordConfirmation
from kapda.domain.identity.use_cases.prefer_address import PreferAddress
from kapda.domain.identity.use_cases.refresh_session import RefreshSession
from kapda.domain.identity.use_cases.remove_address import RemoveAddress
from kapda.domain.identity.use_cases.remove_house_member import RemoveHouseMember
from kapda.domain.identity.use_cases.request_email_confirmation import RequestEmailConfirmation
from kapda.domain.identity.use_cases.request_password_reset import RequestPasswordReset
from kapda.domain.identity.use_cases.request_unlock import RequestUnlock
from kapda.domain.identity.use_cases.reset_password import ResetPassword
from kapda.domain.identity.use_cases.revoke_api_key import RevokeApiKey
from kapda.domain.identity.use_cases.revoke_signing_key import RevokeSigningKey
from kapda.domain.identity.use_cases.rotate_api_key import RotateApiKey
from kapda.domain.identity.use_cases.set_user_role import SetUserRole
from kapda.domain.identity.use_cases.sign_up import SignUp
from kapda.domain.identity.use_cases.token_issuer import TokenIssuer
from kapda.domain.identity.use_cases.unlock import Unlock
from kapda.domain.identity.use_cases.unlock_user import UnlockUser
from kapda.domain.identity.use_cases.update_address import UpdateAddress
from kapda.domain.identity.use_cases.update_profile import UpdateProfile
from kapda.domain.identity.use_cases.user_editor import UserEditor
from kapda.domain.identity.use_cases.verify_signature import VerifySignature
from kapda.domain.inventory.use_cases.adjust_stock import AdjustStock
from kapda.domain.inventory.use_cases.batch_receive_stock import BatchReceiveStock
from kapda.domain.inventory.use_cases.explain_availability import ExplainAvailability
from kapda.domain.inventory.use_cases.get_stock import GetStock
from kapda.domain.inventory.use_cases.list_stock_movements import ListStockMovements
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStock
from kapda.domain.inventory.use_cases.set_low_stock_threshold import SetLowStockThreshold
from kapda.domain.inventory.use_cases.set_stock import SetStock
from kapda.domain.notifications.letters import WebPages
from kapda.domain.notifications.mailing_sink import MailingSink
from kapda.domain.notifications.ports import MailSender
from kapda.domain.notifications.use_cases.send_mails import SendMails
from kapda.domain.notifications.use_cases.write_letter import WriteLetter
from kapda.domain.notifications.use_cases.write_letters import WriteLetters
from kapda.domain.ops.use_cases.check_promises import CheckPromises
from kapda.domain.ops.use_cases.list_open_cases import ListOpenCases
from kapda.domain.ops.use_cases.relay_events import RelayEvents
from kapda.domain.orders.use_cases.bookkeeper import Bookkeeper
from kapda.domain.orders.use_cases.cancel_order import CancelOrder
from kapda.domain.orders.use_cases.finish_payment import FinishPayment
from kapda.domain.orders.use_cases.get_order import GetOrder
from kapda.domain.orders.use_cases.list_orders import ListOrders
from kapda.domain.orders.use_cases.list_refunds import ListRefunds
from kapda.domain.orders.use_cases.place_order import PlaceOrder
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEvent
from kapda.domain.orders.use_cases.record_refund import RecordRefund
from kapda.domain.orders.use_cases.refund_order import RefundOrder
from kapda.domain.orders.use_cases.refunder import Refunder
from kapda.domain.orders.use_cases.resolve_case import ResolveCase
from kapda.domain.orders.use_cases.send_refund import SendRefund
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckout
from kapda.domain.orders.use_cases.sweep_recent_payments import SweepRecentPayments
from kapda.domain.orders.use_cases.wake_due_work import WakeDueWork
from kapda.domain.orders.use_cases.whose_payment import WhosePayment
from kapda.domain.payments.use_cases.get_payment import GetPayment
from kapda.domain.payments.use_cases.measure_webhook_silence import MeasureWebhookSilence
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEvent
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator
from kapda.domain.shared.money import INR, Money
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.rates import Bucket
from kapda.entrypoints.grpc.servicers.api_keys import ApiKeyServicer
from kapda.entrypoints.grpc.servicers.cart import CartServicer
from kapda.entrypoints.grpc.servicers.catalog import CatalogServicer
from kapda.entrypoints.grpc.servicers.checkout import CheckoutServicer
from kapda.entrypoints.grpc.servicers.identity import IdentityServicer
from kapda.entrypoints.grpc.servicers.inventory import InventoryServicer
from kapda.entrypoints.grpc.servicers.ops import OpsServicer
from kapda.entrypoints.grpc.servicers.orders import OrderServicer
from kapda.entrypoints.grpc.servicers.passwords import PasswordServicer
from kapda.entrypoints.grpc.servicers.payments import PaymentServicer
from kapda.entrypoints.grpc.servicers.profile import ProfileServicer
from kapda.entrypoints.grpc.servicers.users import UserServicer
from kapda.entrypoints.settings import Settings
from kapda.entrypoints.supervisor import Supervisor

TOKEN_ISSUER = "kapda"  # noqa: S105  (a name, no secret)
TOKEN_AUDIENCE = "kapda-api"  # noqa: S105  (a name, no secret)


async def _seed(
    engine: AsyncEngine, ids: IdGenerator, clock: Clock, admin_hash: str, designer_hash: str
) -> SeedSummary:
    return await seed(engine, ids, clock, PasswordHashes(admin=admin_hash, designer=designer_hash), production=False)


def _key_ring(settings: Settings) -> KeyRing:
    pairs = [secret.get_secret_value().partition(":") for secret in settings.jwt_keys]
    first, *others = (SigningKey(key_id, secret.encode()) for key_id, _, secret in pairs)
    return KeyRing(first, tuple(others))


def _signing_secrets(settings: Settings) -> DerivedSigningSecrets:
    old = [secret.get_secret_value().encode() for secret in settings.old_signing_keys]
    return DerivedSigningSecrets(settings.signing_key.get_secret_value().encode(), old)


def _link_tokens(settings: Settings) -> HmacLinkTokens:
    return HmacLinkTokens(settings.link_key.get_secret_value().encode())


def _mail_sender(settings: Settings) -> MailSender:
    sender = Sender(settings.mail_from_name, settings.mail_from_address)
    if not settings.smtp_host:
        return MailboxSender(settings.mail_folder, sender)
    server = SmtpServer(
        settings.smtp_host,
        settings.smtp_port,
        Security(settings.smtp_security),
        settings.smtp_username,
        settings.smtp_password.get_secret_value(),
    )
    return SmtpSender(server, sender)


def _page_tokens(settings: Settings) -> PageTokens:
    # A passphrase of any length becomes the 32 bytes the cipher wants.
    return PageTokens([sha256(settings.page_token_key.get_secret_value().encode()).digest()])


def _identifier_digests(settings: Settings) -> HmacIdentifierDigests:
    # The label makes it another key than the page tokens'.
    secret = settings.page_token_key.get_secret_value().encode()
    return HmacIdentifierDigests(hmac.digest(secret, b"kapda: identifiers of log-ins", sha256))


def _rates(settings: Settings) -> Mapping[str, str]:
    return {
        Bucket.AUTH.value: settings.rate_auth,
        Bucket.AUTH_NETWORK.value: settings.rate_auth_network,
        Bucket.CALLER.value: settings.rate_caller,
        Bucket.NETWORK.value: settings.rate_network,
        Bucket.REFUSED.value: settings.rate_refused,
        Bucket.REFRESH.value: settings.rate_refresh,
        Bucket.EXPENSIVE.value: settings.rate_expensive,
    }


def _shipping(settings: Settings) -> ShippingPolicy:
    free_from = settings.shipping_free_from_minor
    return ShippingPolicy(
        Money(settings.shipping_charge_minor, INR), None if free_from is None else Money(free_from, INR)
    )


def _razorpay(settings: Settings) -> RazorpayGateway:
    return RazorpayGateway(
        RazorpayAccess(
            key_id=settings.razorpay_key_id,
            key_secret=settings.razorpay_key_secret[0].get_secret_value(),
            base_url=settings.razorpay_base_url,
            threads=settings.razorpay_threads,
        )
    )


def _checkout_signatures(settings: Settings) -> HmacCheckoutSignatures:
    return HmacCheckoutSignatures([secret.get_secret_value() for secret in settings.razorpay_key_secret])


def _webhook_signatures(settings: Settings) -> HmacWebhookSignatures:
    return HmacWebhookSignatures([secret.get_secret_value() for secret in settings.razorpay_webhook_secrets])


class Container(containers.DeclarativeContainer):
    """One a process. `Container(settings=...)`; nothing connects before it is used."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)

    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(Uuid7Generator)

    _database_url = settings.provided.database_url.get_secret_value.call()
    engine = providers.Singleton(make_engine, _database_url, plans=Plans.GENERIC)
    stock_engine = providers.Singleton(make_engine, _database_url, pool_size=STOCK_POOL_SIZE, plans=Plans.GENERIC)
    catalog_engine = providers.Singleton(make_engine, _database_url, pool_size=CATALOG_POOL_SIZE, plans=Plans.CUSTOM)
    # What a call waits for, without anything being asked.
    connection = providers.Factory(Connection, engine)
    stock_connection = providers.Factory(Connection, stock_engine)
    catalog_connection = providers.Factory(Connection, catalog_engine)
    notifier = providers.Singleton(JobNotifier, engine)
    unit_of_work = providers.Factory(PostgresUnitOfWork, engine, notifier.provided.notify)
    stock_unit_of_work = providers.Factory(PostgresUnitOfWork, stock_engine, notifier.provided.notify)
    reads = providers.Factory(PostgresUnitOfWork, engine, autocommit=True)

    redis = providers.Singleton(make_client, settings.provided.redis_url.get_secret_value.call())
    revoked_tokens = providers.Singleton(RedisRevokedTokens, redis)
    event_sink = providers.Singleton(RedisEventStream, redis)

    password_hasher = providers.Singleton(Argon2PasswordHasher, threads=settings.provided.password_threads)
    password_strength = providers.Singleton(ZxcvbnStrength)
    access_tokens = providers.Singleton(
        JwtAccessTokens,
        providers.Singleton(_key_ring, settings),
        issuer=TOKEN_ISSUER,
        audience=TOKEN_AUDIENCE,
        clock=clock,
    )
    page_tokens = providers.Singleton(_page_tokens, settings)
    session_reader = providers.Singleton(PostgresSessionReader, engine)

    gateway = providers.Singleton(_razorpay, settings)
    checkout_signatures = providers.Singleton(_checkout_signatures, settings)
    webhook_signatures = providers.Singleton(_webhook_signatures, settings)

    # Identity.
    token_issuer = providers.Factory(
        TokenIssuer, access_tokens=access_tokens, refresh_secrets=providers.Singleton(RandomRefreshSecrets), ids=ids
    )
    sign_up = providers.Factory(
        SignUp,
        unit_of_work=unit_of_work.provider,
        passwords=password_hasher,
        strength=password_strength,
        issuer=token_issuer,
        ids=ids,
        clock=clock,
    )
    rate_limits = providers.Singleton(RedisRateLimits, redis, providers.Callable(_rates, settings))
    identifier_digests = providers.Singleton(_identifier_digests, settings)
    log_in_guard = providers.Factory(
        LogInGuard,
        unit_of_work=unit_of_work.provider,
        autocommit=reads.provider,
        counters=providers.Singleton(RedisLogInCounters, redis),
        under_way=providers.Singleton(AttemptsUnderWay),
        digests=identifier_digests,
        ids=ids,
        clock=clock,
    )
    log_in = providers.Factory(
        LogIn,
        unit_of_work=unit_of_work.provider,
        autocommit=reads.provider,
        guard=log_in_guard,
        passwords=password_hasher,
        issuer=token_issuer,
        ids=ids,
        clock=clock,
    )
    link_tokens = providers.Singleton(_link_tokens, settings)
    follow_link = providers.Factory(FollowLink, tokens=link_tokens, clock=clock)
    password_changer = providers.Factory(
        PasswordChanger, passwords=password_hasher, strength=password_strength, ids=ids, clock=clock
    )
    password_confirmation = providers.Factory(
        PasswordConfirmation, unit_of_work=unit_of_work.provider, guard=log_in_guard, passwords=password_hasher
    )
    change_password = providers.Factory(
        ChangePassword,
        unit_of_work=unit_of_work.provider,
        confirmation=password_confirmation,
        changer=password_changer,
        revoked_tokens=revoked_tokens,
    )
    request_password_reset = providers.Factory(
        RequestPasswordReset, unit_of_work=unit_of_work.provider, ids=ids, clock=clock
    )
    reset_password = providers.Factory(
        ResetPassword,
        unit_of_work=unit_of_work.provider,
        links=follow_link,
        changer=password_changer,
        guard=log_in_guard,
        revoked_tokens=revoked_tokens,
        clock=clock,
    )
    request_email_confirmation = providers.Factory(
        RequestEmailConfirmation, unit_of_work=unit_of_work.provider, ids=ids, clock=clock
    )
    confirm_email = providers.Factory(ConfirmEmail, unit_of_work=unit_of_work.provider, links=follow_link, clock=clock)
    request_unlock = providers.Factory(RequestUnlock, unit_of_work=unit_of_work.provider, ids=ids, clock=clock)
    unlock = providers.Factory(
        Unlock, unit_of_work=unit_of_work.provider, links=follow_link, guard=log_in_guard, clock=clock
    )
    log_out = providers.Factory(LogOut, unit_of_work=unit_of_work.provider, revoked_tokens=revoked_tokens, clock=clock)
    log_out_everywhere = providers.Factory(
        LogOutEverywhere, unit_of_work=unit_of_work.provider, revoked_tokens=revoked_tokens, clock=clock
    )
    refresh_session = providers.Factory(
        RefreshSession,
        unit_of_work=unit_of_work.provider,
        revoked_tokens=revoked_tokens,
        issuer=token_issuer,
        ids=ids,
        clock=clock,
    )
    list_sessions = providers.Factory(ListSessions, unit_of_work=reads.provider, clock=clock)
    end_session = providers.Factory(
        EndSession, unit_of_work=unit_of_work.provider, revoked_tokens=revoked_tokens, clock=clock
    )
    get_me = providers.Factory(GetMe, unit_of_work=reads.provider)
    authenticate = providers.Factory(
        Authenticate,
        access_tokens=access_tokens,
        revoked_tokens=revoked_tokens,
        sessions=session_reader,
        clock=clock,
    )

    # Profiles and address books.
    phone_numbers = providers.Singleton(NumberingPlans)
    get_profile = providers.Factory(GetProfile, unit_of_work=reads.provider)
    update_profile = providers.Factory(
        UpdateProfile, unit_of_work=unit_of_work.provider, phone_numbers=phone_numbers, clock=clock
    )
    list_addresses = providers.Factory(ListAddresses, unit_of_work=reads.provider)
    add_address = providers.Factory(
        AddAddress, unit_of_work=unit_of_work.provider, phone_numbers=phone_numbers, ids=ids, clock=clock
    )
    update_address = providers.Factory(UpdateAddress, unit_of_work=unit_of_work.provider, phone_numbers=phone_numbers)
    prefer_address = providers.Factory(PreferAddress, unit_of_work=unit_of_work.provider, clock=clock)
    remove_address = providers.Factory(RemoveAddress, unit_of_work=unit_of_work.provider)
    export_my_data = providers.Factory(ExportMyData, unit_of_work=reads.provider)
    delete_my_account = providers.Factory(
        DeleteMyAccount,
        unit_of_work=unit_of_work.provider,
        confirmation=password_confirmation,
        revoked_tokens=revoked_tokens,
        clock=clock,
    )
    # API keys.
    api_key_texts = providers.Singleton(RandomApiKeyTexts)
    key_uses = providers.Singleton(PostgresKeyUses, engine)
    authenticate_api_key = providers.Factory(
        AuthenticateApiKey, unit_of_work=reads.provider, uses=key_uses, clock=clock
    )
    issue_api_key = providers.Factory(
        IssueApiKey, unit_of_work=unit_of_work.provider, texts=api_key_texts, ids=ids, clock=clock
    )
    rotate_api_key = providers.Factory(
        RotateApiKey, unit_of_work=unit_of_work.provider, texts=api_key_texts, ids=ids, clock=clock
    )
    revoke_api_key = providers.Factory(RevokeApiKey, unit_of_work=unit_of_work.provider, ids=ids, clock=clock)
    list_api_keys = providers.Factory(ListApiKeys, unit_of_work=reads.provider)

    # Administration.
    get_user = providers.Factory(GetUser, unit_of_work=reads.provider)
    get_user_by_email = providers.Factory(GetUserByEmail, unit_of_work=reads.provider)
    user_editor = providers.Factory(
        UserEditor, unit_of_work=unit_of_work.provider, revoked_tokens=revoked_tokens, ids=ids, clock=clock
    )
    set_user_role = providers.Factory(SetUserRole, editor=user_editor)
    disable_user = providers.Factory(DisableUser, editor=user_editor)
    enable_user = providers.Factory(EnableUser, editor=user_editor)
    list_user_sessions = providers.Factory(ListUserSessions, unit_of_work=unit_of_work.provider, ids=ids, clock=clock)
    end_user_sessions = providers.Factory(
        EndUserSessions, unit_of_work=unit_of_work.provider, revoked_tokens=revoked_tokens, ids=ids, clock=clock
    )
    unlock_user = providers.Factory(
        UnlockUser, unit_of_work=unit_of_work.provider, guard=log_in_guard, ids=ids, clock=clock
    )
    list_audit_entries = providers.Factory(ListAuditEntries, unit_of_work=reads.provider)
    create_admin = providers.Factory(
        CreateAdmin,
        unit_of_work=unit_of_work.provider,
        passwords=password_hasher,
        strength=password_strength,
        revoked_tokens=revoked_tokens,
        ids=ids,
        clock=clock,
    )
    house_editor = providers.Factory(HouseEditor, unit_of_work=unit_of_work.provider, ids=ids, clock=clock)
    add_house_member = providers.Factory(AddHouseMember, editor=house_editor, clock=clock)
    remove_house_member = providers.Factory(RemoveHouseMember, editor=house_editor)
    # Signed requests.
    signing_secrets = providers.Singleton(_signing_secrets, settings)
    verify_signature = providers.Factory(
        VerifySignature, unit_of_work=reads.provider, secrets=signing_secrets, clock=clock
    )
    issue_signing_key = providers.Factory(
        IssueSigningKey, unit_of_work=unit_of_work.provider, secrets=signing_secrets, ids=ids, clock=clock
    )
    revoke_signing_key = providers.Factory(RevokeSigningKey, unit_of_work=unit_of_work.provider, ids=ids, clock=clock)
    list_signing_keys = providers.Factory(ListSigningKeys, unit_of_work=reads.provider)

    # Catalogue.
    products = providers.Singleton(PostgresProducts, catalog_engine)
    list_products = providers.Factory(ListProducts, products=products)
    search_products = providers.Factory(SearchProducts, products=products)
    get_product = providers.Factory(GetProduct, products=products)

    # Inventory.
    get_stock = providers.Factory(GetStock, unit_of_work=reads.provider)
    explain_availability = providers.Factory(ExplainAvailability, unit_of_work=reads.provider)
    receive_stock = providers.Factory(ReceiveStock, unit_of_work=stock_unit_of_work.provider, clock=clock)
    batch_receive_stock = providers.Factory(BatchReceiveStock, unit_of_work=stock_unit_of_work.provider, clock=clock)
    set_stock = providers.Factory(SetStock, unit_of_work=stock_unit_of_work.provider, clock=clock)
    set_low_stock_threshold = providers.Factory(
        SetLowStockThreshold, unit_of_work=stock_unit_of_work.provider, clock=clock
    )
    adjust_stock = providers.Factory(AdjustStock, unit_of_work=stock_unit_of_work.provider, clock=clock)
    list_stock_movements = providers.Factory(ListStockMovements, unit_of_work=reads.provider)

    # Cart.
    cart_editor = providers.Factory(CartEditor, unit_of_work=unit_of_work.provider, clock=clock, ids=ids)
    get_cart = providers.Factory(GetCart, unit_of_work=reads.provider, clock=clock, ids=ids)
    add_item = providers.Factory(AddItem, editor=cart_editor, clock=clock)
    change_item = providers.Factory(ChangeItem, editor=cart_editor, clock=clock)
    remove_item = providers.Factory(RemoveItem, editor=cart_editor)
    clear_cart = providers.Factory(ClearCart, editor=cart_editor)
    validate_cart = providers.Factory(ValidateCart, get_cart=get_cart)
    guest_tokens = providers.Singleton(RandomGuestTokens)
    create_guest_cart = providers.Factory(
        CreateGuestCart, unit_of_work=unit_of_work.provider, tokens=guest_tokens, clock=clock, ids=ids
    )
    identify_guest = providers.Factory(IdentifyGuest, unit_of_work=reads.provider, clock=clock)
    merge_guest_cart = providers.Factory(MergeGuestCart, unit_of_work=unit_of_work.provider, clock=clock, ids=ids)
    expire_carts = providers.Factory(ExpireCarts, unit_of_work=unit_of_work.provider, clock=clock)

    # Checkout.
    open_at_gateway = providers.Factory(
        OpenAtGateway,
        unit_of_work=unit_of_work.provider,
        autocommit=reads.provider,
        gateway=gateway,
        clock=clock,
    )
    start_checkout = providers.Factory(
        StartCheckout,
        unit_of_work=stock_unit_of_work.provider,
        open_at_gateway=open_at_gateway,
        shipping=providers.Singleton(_shipping, settings),
        clock=clock,
        ids=ids,
    )
    get_checkout = providers.Factory(GetCheckout, unit_of_work=reads.provider)
    abandon_checkout = providers.Factory(AbandonCheckout, unit_of_work=stock_unit_of_work.provider, clock=clock)

    # Payments and orders.
    receive_gateway_event = providers.Factory(
        ReceiveGatewayEvent,
        unit_of_work=unit_of_work.provider,
        signatures=webhook_signatures,
        clock=clock,
        ids=ids,
        account_id=settings.provided.razorpay_account_id,
    )
    get_payment = providers.Factory(GetPayment, unit_of_work=reads.provider)
    refunder = providers.Factory(Refunder, clock=clock, ids=ids)
    bookkeeper = providers.Factory(Bookkeeper, refunder=refunder, clock=clock, ids=ids)
    whose_payment = providers.Factory(WhosePayment, unit_of_work=unit_of_work.provider, gateway=gateway, clock=clock)
    finish_payment = providers.Factory(
        FinishPayment,
        unit_of_work=stock_unit_of_work.provider,
        gateway=gateway,
        whose_payment=whose_payment,
        bookkeeper=bookkeeper,
        clock=clock,
    )
    place_order = providers.Factory(
        PlaceOrder,
        unit_of_work=unit_of_work.provider,
        reads=reads.provider,
        signatures=checkout_signatures,
        finish_payment=finish_payment,
    )
    record_refund = providers.Factory(RecordRefund, unit_of_work=unit_of_work.provider, clock=clock, ids=ids)
    send_refund = providers.Factory(
        SendRefund, unit_of_work=unit_of_work.provider, gateway=gateway, record_refund=record_refund, clock=clock
    )
    cancel_order = providers.Factory(
        CancelOrder, unit_of_work=stock_unit_of_work.provider, refunder=refunder, clock=clock
    )
    refund_order = providers.Factory(
        RefundOrder, unit_of_work=stock_unit_of_work.provider, refunder=refunder, clock=clock
    )
    resolve_case = providers.Factory(
        ResolveCase,
        unit_of_work=stock_unit_of_work.provider,
        bookkeeper=bookkeeper,
        refunder=refunder,
        clock=clock,
        ids=ids,
    )
    list_refunds = providers.Factory(ListRefunds, unit_of_work=reads.provider)
    process_gateway_event = providers.Factory(
        ProcessGatewayEvent,
        unit_of_work=unit_of_work.provider,
        gateway=gateway,
        finish_payment=finish_payment,
        record_refund=record_refund,
        clock=clock,
    )
    settle_checkout = providers.Factory(
        SettleCheckout,
        unit_of_work=stock_unit_of_work.provider,
        gateway=gateway,
        open_at_gateway=open_at_gateway,
        finish_payment=finish_payment,
        record_refund=record_refund,
        clock=clock,
    )
    sweep_recent_payments = providers.Factory(
        SweepRecentPayments,
        unit_of_work=unit_of_work.provider,
        gateway=gateway,
        finish_payment=finish_payment,
        clock=clock,
    )
    measure_webhook_silence = providers.Factory(
        MeasureWebhookSilence, payments=providers.Singleton(PostgresUnannouncedPayments, engine), clock=clock
    )
    wake_due_work = providers.Factory(WakeDueWork, unit_of_work=unit_of_work.provider, clock=clock)
    get_order = providers.Factory(GetOrder, unit_of_work=reads.provider)
    list_orders = providers.Factory(ListOrders, unit_of_work=reads.provider)

    # Operations.
    promise_auditor = providers.Singleton(PostgresPromiseAuditor, engine)
    check_promises = providers.Factory(
        CheckPromises,
        auditor=promise_auditor,
        sessions=session_reader,
        revoked_tokens=revoked_tokens,
        clock=clock,
    )
    list_open_cases = providers.Factory(ListOpenCases, unit_of_work=reads.provider)
    mailing_sink = providers.Factory(
        MailingSink, sink=event_sink, unit_of_work=unit_of_work.provider, ids=ids, clock=clock
    )
    relay_events = providers.Factory(RelayEvents, unit_of_work=unit_of_work.provider, sink=mailing_sink, clock=clock)

    # Mails.
    mail_sender = providers.Singleton(_mail_sender, settings)
    mail_composer = providers.Singleton(JinjaComposer)
    write_letter = providers.Factory(
        WriteLetter,
        link_tokens=link_tokens,
        pages=providers.Singleton(WebPages, settings.provided.web_url),
        ids=ids,
        clock=clock,
    )
    send_mails = providers.Factory(
        SendMails,
        unit_of_work=unit_of_work.provider,
        write_letters=providers.Factory(
            WriteLetters,
            unit_of_work=unit_of_work.provider,
            reads=reads.provider,
            write_letter=write_letter,
            clock=clock,
        ),
        composer=mail_composer,
        sender=mail_sender,
        clock=clock,
    )

    # The worker's own.
    retention = providers.Singleton(PostgresRetention, engine)
    job_runner = providers.Factory(JobRunner, _database_url)
    job_listener = providers.Factory(JobListener, _database_url)

    # Chores: awaited once by the command that runs them.
    migrate = providers.Callable(upgrade, _database_url)
    seed = providers.Callable(_seed, engine, ids, clock)

    # What serves them over gRPC. Money phases of all services have one supervisor, which the drain waits for.
    supervisor = providers.Singleton(Supervisor)
    servicers = providers.List(
        providers.Factory(
            IdentityServicer,
            sign_up=sign_up,
            log_in=log_in,
            refresh_session=refresh_session,
            log_out=log_out,
            log_out_everywhere=log_out_everywhere,
            list_sessions=list_sessions,
            end_session=end_session,
            get_me=get_me,
            page_tokens=page_tokens,
        ),
        providers.Factory(
            PasswordServicer,
            change_password=change_password,
            request_password_reset=request_password_reset,
            reset_password=reset_password,
            request_email_confirmation=request_email_confirmation,
            confirm_email=confirm_email,
            request_unlock=request_unlock,
            unlock=unlock,
        ),
        providers.Factory(
            ProfileServicer,
            get_profile=get_profile,
            update_profile=update_profile,
            list_addresses=list_addresses,
            add_address=add_address,
            update_address=update_address,
            prefer_address=prefer_address,
            remove_address=remove_address,
            export_my_data=export_my_data,
            delete_my_account=delete_my_account,
        ),
        providers.Factory(
            ApiKeyServicer,
            issue_api_key=issue_api_key,
            list_api_keys=list_api_keys,
            rotate_api_key=rotate_api_key,
            revoke_api_key=revoke_api_key,
            issue_signing_key=issue_signing_key,
            list_signing_keys=list_signing_keys,
            revoke_signing_key=revoke_signing_key,
            page_tokens=page_tokens,
        ),
        providers.Factory(
            UserServicer,
            get_user=get_user,
            get_user_by_email=get_user_by_email,
            set_user_role=set_user_role,
            disable_user=disable_user,
            enable_user=enable_user,
            list_user_sessions=list_user_sessions,
            end_user_sessions=end_user_sessions,
            unlock_user=unlock_user,
            list_audit_entries=list_audit_entries,
            page_tokens=page_tokens,
        ),
        providers.Factory(
            CatalogServicer,
            list_products=list_products,
            search_products=search_products,
            get_product=get_product,
            page_tokens=page_tokens,
        ),
        providers.Factory(
            InventoryServicer,
            get_stock=get_stock,
            explain_availability=explain_availability,
            receive_stock=receive_stock,
            batch_receive_stock=batch_receive_stock,
            set_stock=set_stock,
            set_low_stock_threshold=set_low_stock_threshold,
            adjust_stock=adjust_stock,
            list_stock_movements=list_stock_movements,
            page_tokens=page_tokens,
        ),
        providers.Factory(
            CartServicer,
            create_guest_cart=create_guest_cart,
            merge_guest_cart=merge_guest_cart,
            get_cart=get_cart,
            add_item=add_item,
            change_item=change_item,
            remove_item=remove_item,
            clear_cart=clear_cart,
            validate_cart=validate_cart,
        ),
        providers.Factory(
            CheckoutServicer,
            start_checkout=start_checkout,
            get_checkout=get_checkout,
            abandon_checkout=abandon_checkout,
            supervisor=supervisor,
            razorpay_key_id=settings.provided.razorpay_key_id,
        ),
        providers.Factory(PaymentServicer, get_payment=get_payment),
        providers.Factory(
            OrderServicer,
            place_order=place_order,
            get_order=get_order,
            list_orders=list_orders,
            cancel_order=cancel_order,
            refund_order=refund_order,
            list_refunds=list_refunds,
            supervisor=supervisor,
            page_tokens=page_tokens,
        ),
        providers.Factory(
            OpsServicer,
            check_promises=check_promises,
            list_open_cases=list_open_cases,
            resolve_case=resolve_case,
            supervisor=supervisor,
            page_tokens=page_tokens,
        ),
    )
