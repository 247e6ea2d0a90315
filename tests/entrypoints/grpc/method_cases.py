"""One case a method of the contract: who asks what, the command it becomes, and what the use case answers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from kapda.api.cart.v1 import cart_service_pb2
from kapda.api.catalog.v1 import catalog_service_pb2
from kapda.api.checkout.v1 import checkout_service_pb2
from kapda.api.common.v1 import address_pb2, api_scope_pb2, money_pb2, role_pb2
from kapda.api.identity.v1 import (
    api_key_service_pb2,
    identity_service_pb2,
    password_service_pb2,
    profile_pb2,
    profile_service_pb2,
    user_service_pb2,
)
from kapda.api.inventory.v1 import inventory_service_pb2
from kapda.api.ops.v1 import ops_service_pb2, promise_pb2
from kapda.api.orders.v1 import order_service_pb2
from kapda.api.payments.v1 import payment_service_pb2
from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.merge import MergedCart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.change_item import ChangeItemCommand
from kapda.domain.cart.use_cases.clear_cart import ClearCartCommand
from kapda.domain.cart.use_cases.create_guest_cart import NewGuestCart
from kapda.domain.cart.use_cases.get_cart import GetCartCommand
from kapda.domain.cart.use_cases.merge_guest_cart import MergeGuestCartCommand
from kapda.domain.cart.use_cases.remove_item import RemoveItemCommand
from kapda.domain.cart.use_cases.validate_cart import CartValidation, ValidateCartCommand
from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.use_cases.get_product import GetProductCommand
from kapda.domain.catalog.use_cases.list_products import ListProductsCommand
from kapda.domain.catalog.use_cases.search_products import SearchProductsCommand
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.checkout.use_cases.get_checkout import GetCheckoutCommand
from kapda.domain.checkout.use_cases.start_checkout import StartCheckoutCommand
from kapda.domain.identity.address_book import Label
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.profile import ProfileChange
from kapda.domain.identity.refresh import RefreshSecret
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.use_cases.add_address import AddAddressCommand
from kapda.domain.identity.use_cases.change_password import ChangePasswordCommand
from kapda.domain.identity.use_cases.confirm_email import ConfirmEmailCommand
from kapda.domain.identity.use_cases.delete_my_account import DeleteMyAccountCommand
from kapda.domain.identity.use_cases.disable_user import DisableUserCommand
from kapda.domain.identity.use_cases.enable_user import EnableUserCommand
from kapda.domain.identity.use_cases.end_session import EndSessionCommand
from kapda.domain.identity.use_cases.end_user_sessions import EndUserSessionsCommand
from kapda.domain.identity.use_cases.export_my_data import ExportMyDataCommand
from kapda.domain.identity.use_cases.get_me import GetMeCommand
from kapda.domain.identity.use_cases.get_profile import GetProfileCommand
from kapda.domain.identity.use_cases.get_user import GetUserCommand
from kapda.domain.identity.use_cases.get_user_by_email import GetUserByEmailCommand
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKeyCommand, IssuedApiKey
from kapda.domain.identity.use_cases.issue_signing_key import IssuedSigningKey, IssueSigningKeyCommand
from kapda.domain.identity.use_cases.list_addresses import ListAddressesCommand
from kapda.domain.identity.use_cases.list_api_keys import ListApiKeysCommand
from kapda.domain.identity.use_cases.list_audit_entries import ListAuditEntriesCommand
from kapda.domain.identity.use_cases.list_sessions import ListSessionsCommand
from kapda.domain.identity.use_cases.list_signing_keys import ListSigningKeysCommand
from kapda.domain.identity.use_cases.list_user_sessions import ListUserSessionsCommand
from kapda.domain.identity.use_cases.log_in import LoggedIn, LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOutCommand
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhereCommand
from kapda.domain.identity.use_cases.prefer_address import PreferAddressCommand
from kapda.domain.identity.use_cases.refresh_session import RefreshSessionCommand
from kapda.domain.identity.use_cases.remove_address import RemoveAddressCommand
from kapda.domain.identity.use_cases.request_email_confirmation import RequestEmailConfirmationCommand
from kapda.domain.identity.use_cases.request_password_reset import RequestPasswordResetCommand
from kapda.domain.identity.use_cases.request_unlock import RequestUnlockCommand
from kapda.domain.identity.use_cases.reset_password import ResetPasswordCommand
from kapda.domain.identity.use_cases.revoke_api_key import RevokeApiKeyCommand
from kapda.domain.identity.use_cases.revoke_signing_key import RevokeSigningKeyCommand
from kapda.domain.identity.use_cases.rotate_api_key import RotateApiKeyCommand
from kapda.domain.identity.use_cases.set_user_role import SetUserRoleCommand
from kapda.domain.identity.use_cases.sign_up import SignedUp, SignUpCommand
from kapda.domain.identity.use_cases.unlock import UnlockCommand
from kapda.domain.identity.use_cases.unlock_user import UnlockUserCommand
from kapda.domain.identity.use_cases.update_address import UpdateAddressCommand
from kapda.domain.identity.use_cases.update_profile import UpdateProfileCommand
from kapda.domain.identity.user import DisplayName, EmailAddress, Role
from kapda.domain.inventory.delivery import DeliveryLine
from kapda.domain.inventory.use_cases.adjust_stock import AdjustStockCommand
from kapda.domain.inventory.use_cases.batch_receive_stock import BatchReceiveStockCommand, ReceivedBatch
from kapda.domain.inventory.use_cases.explain_availability import ExplainAvailabilityCommand
from kapda.domain.inventory.use_cases.get_stock import GetStockCommand
from kapda.domain.inventory.use_cases.list_stock_movements import ListStockMovementsCommand
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStockCommand
from kapda.domain.inventory.use_cases.set_low_stock_threshold import SetLowStockThresholdCommand
from kapda.domain.inventory.use_cases.set_stock import SetStockCommand
from kapda.domain.ops.use_cases.list_open_cases import ListOpenCasesCommand
from kapda.domain.orders.reversal import LineQuantity
from kapda.domain.orders.use_cases.cancel_order import CancelOrderCommand
from kapda.domain.orders.use_cases.get_order import GetOrderCommand
from kapda.domain.orders.use_cases.list_orders import ListOrdersCommand
from kapda.domain.orders.use_cases.list_refunds import ListRefundsCommand
from kapda.domain.orders.use_cases.place_order import PlaceOrderCommand
from kapda.domain.orders.use_cases.refund_order import RefundOrderCommand
from kapda.domain.orders.use_cases.resolve_case import ResolveCaseCommand
from kapda.domain.payments.payment_case import Resolution
from kapda.domain.payments.use_cases.get_payment import GetPaymentCommand
from kapda.domain.shared.audit import AuditFilter, Occasion
from kapda.domain.shared.ids import (
    AddressId,
    ApiKeyId,
    CaseId,
    CheckoutId,
    DesignerId,
    OrderId,
    PaymentId,
    ProductId,
    RequestId,
    SessionId,
    SigningKeyId,
    UserId,
    VariantId,
)
from kapda.domain.shared.money import INR, Money
from kapda.domain.shared.pages import Page, PageRequest
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.translate.values import timestamp
from tests.entrypoints.grpc import samples
from tests.entrypoints.grpc.conftest import ADMIN, CALL_ID, CUSTOMER, DESIGNER, HERE, PRINCIPALS, PROOF

RID, VARIANT = uuid4(), uuid4()
CUSTOMER_ID = PRINCIPALS[CUSTOMER].user_id
OWNER = CartOwner.of_customer(CUSTOMER_ID)
R, V = {"request_id": str(RID)}, {"variant_id": str(VARIANT)}
BOTH = R | V
CURSOR = ("key", "id")
# What an admin's audited deed is written down as.
BY_ADMIN = Occasion(PRINCIPALS[ADMIN].actor, CALL_ID, "asked for by phone")
WHY = {"reason": BY_ADMIN.reason}
PRICE = money_pb2.Money(currency_code="INR", amount_minor=100)
ADDRESS = address_pb2.Address(
    name="Asha Rao",
    phone="+919876543210",
    line1="12 MG Road",
    line2="Near the park",
    city="Bengaluru",
    state_code="KA",
    pin_code="560001",
)
FILTERS: dict[str, Any] = {
    "category": "Kurtas",
    "designer_id": str(UUID(int=20)),
    "min_price": PRICE,
    "max_price": PRICE,
    "sizes": ["M"],
    "colours": ["indigo"],
    "page_size": 7,
}
WHICH = ProductFilter(
    "kurtas", DesignerId(UUID(int=20)), Money(100, INR), Money(100, INR), frozenset({"M"}), frozenset({"indigo"})
)
keys, identity, catalog, stock = api_key_service_pb2, identity_service_pb2, catalog_service_pb2, inventory_service_pb2
cart, checkout, order = cart_service_pb2, checkout_service_pb2, order_service_pb2
payment, ops, profile, users = payment_service_pb2, ops_service_pb2, profile_service_pb2, user_service_pb2


@dataclass(frozen=True, slots=True)
class Case:
    """`token` calls with `request`; the use case of that name gets `command` and answers `answer`."""

    token: str
    use_case: str
    request: Message
    command: object
    answer: object


CASES = [
    Case(ADMIN, "get_user", users.GetUserRequest(user_id=str(RID)), GetUserCommand(UserId(RID)), samples.MANAGED),
    Case(
        ADMIN,
        "get_user_by_email",
        users.GetUserByEmailRequest(email="Asha@example.in"),
        GetUserByEmailCommand(EmailAddress("Asha@example.in")),
        samples.MANAGED,
    ),
    Case(
        ADMIN,
        "set_user_role",
        users.SetUserRoleRequest(**R, user_id=str(VARIANT), role=role_pb2.ROLE_DESIGNER, **WHY),
        SetUserRoleCommand(PRINCIPALS[ADMIN], BY_ADMIN, PROOF, RequestId(RID), UserId(VARIANT), Role.DESIGNER),
        Answer(samples.MANAGED),
    ),
    Case(
        ADMIN,
        "disable_user",
        users.DisableUserRequest(**R, user_id=str(VARIANT), **WHY),
        DisableUserCommand(PRINCIPALS[ADMIN], BY_ADMIN, RequestId(RID), UserId(VARIANT)),
        Answer(samples.MANAGED),
    ),
    Case(
        ADMIN,
        "enable_user",
        users.EnableUserRequest(**R, user_id=str(VARIANT), **WHY),
        EnableUserCommand(PRINCIPALS[ADMIN], BY_ADMIN, PROOF, RequestId(RID), UserId(VARIANT)),
        Answer(samples.MANAGED),
    ),
    Case(
        ADMIN,
        "list_user_sessions",
        users.ListUserSessionsRequest(user_id=str(VARIANT), page_size=3, **WHY),
        ListUserSessionsCommand(BY_ADMIN, UserId(VARIANT), PageRequest(3)),
        Page((samples.SESSION,), CURSOR),
    ),
    Case(
        ADMIN,
        "end_user_sessions",
        users.EndUserSessionsRequest(**R, user_id=str(VARIANT), **WHY),
        EndUserSessionsCommand(PRINCIPALS[ADMIN], BY_ADMIN, RequestId(RID), UserId(VARIANT)),
        Answer(samples.MANAGED),
    ),
    Case(
        ADMIN,
        "unlock_user",
        users.UnlockUserRequest(**R, user_id=str(VARIANT), **WHY),
        UnlockUserCommand(PRINCIPALS[ADMIN], BY_ADMIN, RequestId(RID), UserId(VARIANT)),
        Answer(samples.MANAGED),
    ),
    Case(
        ADMIN,
        "list_audit_entries",
        users.ListAuditEntriesRequest(subject_id=str(VARIANT), actor_id=str(RID), page_size=3),
        ListAuditEntriesCommand(AuditFilter(VARIANT, RID), PageRequest(3)),
        Page((samples.AUDIT_ENTRY,), CURSOR),
    ),
    Case(
        ADMIN,
        "issue_api_key",
        keys.IssueApiKeyRequest(
            service_name="warehouse",
            scopes=[api_scope_pb2.API_SCOPE_INVENTORY_READ, api_scope_pb2.API_SCOPE_INVENTORY_WRITE],
            designer_id=str(VARIANT),
            expire_time=timestamp(datetime(2099, 1, 1, tzinfo=UTC)),
            **WHY,
        ),
        IssueApiKeyCommand(
            BY_ADMIN,
            PROOF,
            "warehouse",
            frozenset({Scope.INVENTORY_READ, Scope.INVENTORY_WRITE}),
            DesignerId(VARIANT),
            datetime(2099, 1, 1, tzinfo=UTC),
        ),
        IssuedApiKey(samples.API_KEY, samples.KEY_TEXT),
    ),
    Case(
        ADMIN,
        "list_api_keys",
        keys.ListApiKeysRequest(page_size=3),
        ListApiKeysCommand(PageRequest(3)),
        Page((samples.API_KEY,), CURSOR),
    ),
    Case(
        ADMIN,
        "rotate_api_key",
        keys.RotateApiKeyRequest(api_key_id=str(VARIANT), overlap_hours=0, **WHY),
        RotateApiKeyCommand(BY_ADMIN, PROOF, ApiKeyId(VARIANT), timedelta(0)),
        IssuedApiKey(samples.API_KEY, samples.KEY_TEXT),
    ),
    Case(
        ADMIN,
        "revoke_api_key",
        keys.RevokeApiKeyRequest(api_key_id=str(VARIANT), **WHY),
        RevokeApiKeyCommand(BY_ADMIN, ApiKeyId(VARIANT)),
        samples.API_KEY,
    ),
    Case(
        ADMIN,
        "issue_signing_key",
        keys.IssueSigningKeyRequest(user_id=str(VARIANT), **WHY),
        IssueSigningKeyCommand(BY_ADMIN, PROOF, UserId(VARIANT)),
        IssuedSigningKey(samples.SIGNING_KEY, samples.SIGNING_SECRET),
    ),
    Case(
        ADMIN,
        "list_signing_keys",
        keys.ListSigningKeysRequest(page_size=3),
        ListSigningKeysCommand(PageRequest(3)),
        Page((samples.SIGNING_KEY,), CURSOR),
    ),
    Case(
        ADMIN,
        "revoke_signing_key",
        keys.RevokeSigningKeyRequest(signing_key_id=str(VARIANT), **WHY),
        RevokeSigningKeyCommand(BY_ADMIN, SigningKeyId(VARIANT)),
        samples.SIGNING_KEY,
    ),
    Case(
        CUSTOMER,
        "sign_up",
        identity.SignUpRequest(email="asha@example.in", password="Blue-kurta-9", display_name="Asha"),
        SignUpCommand("asha@example.in", "Blue-kurta-9", "Asha", HERE),
        SignedUp(samples.USER, samples.TOKENS),
    ),
    Case(
        CUSTOMER,
        "log_in",
        identity.LogInRequest(email="asha@example.in", password="Blue-kurta-9"),
        LogInCommand("asha@example.in", "Blue-kurta-9", HERE),
        LoggedIn(samples.USER, samples.TOKENS),
    ),
    Case(
        CUSTOMER,
        "refresh_session",
        identity.RefreshSessionRequest(refresh_token="refresh-secret"),
        RefreshSessionCommand(RefreshSecret("refresh-secret"), CALL_ID, HERE),
        samples.TOKENS,
    ),
    Case(
        CUSTOMER,
        "log_out_everywhere",
        identity.LogOutEverywhereRequest(keep_current=True),
        LogOutEverywhereCommand(PRINCIPALS[CUSTOMER], keep_current=True),
        None,
    ),
    Case(
        CUSTOMER,
        "list_sessions",
        identity.ListSessionsRequest(page_size=7),
        ListSessionsCommand(CUSTOMER_ID, PageRequest(7)),
        Page((samples.SESSION,), CURSOR),
    ),
    Case(
        CUSTOMER,
        "end_session",
        identity.EndSessionRequest(session_id=str(VARIANT)),
        EndSessionCommand(CUSTOMER_ID, SessionId(VARIANT)),
        None,
    ),
    Case(CUSTOMER, "log_out", identity.LogOutRequest(), LogOutCommand(PRINCIPALS[CUSTOMER]), None),
    Case(CUSTOMER, "get_me", identity.GetMeRequest(), GetMeCommand(PRINCIPALS[CUSTOMER]), samples.USER),
    Case(
        DESIGNER,
        "get_profile",
        profile.GetProfileRequest(),
        GetProfileCommand(PRINCIPALS[DESIGNER]),
        samples.PROFILE,
    ),
    Case(
        CUSTOMER,
        "update_profile",
        profile.UpdateProfileRequest(
            profile=profile_pb2.Profile(display_name="Asha Rao", phone="+919820012345", email="of@another.in"),
            update_mask=FieldMask(paths=["display_name", "phone"]),
            etag="v2",
        ),
        UpdateProfileCommand(
            PRINCIPALS[CUSTOMER],
            ProfileChange(DisplayName("Asha Rao"), PhoneNumber("+919820012345"), sets_phone=True),
            "v2",
        ),
        samples.PROFILE,
    ),
    Case(
        CUSTOMER,
        "list_addresses",
        profile.ListAddressesRequest(),
        ListAddressesCommand(PRINCIPALS[CUSTOMER]),
        (samples.SAVED_ADDRESS,),
    ),
    Case(
        CUSTOMER,
        "add_address",
        profile.AddAddressRequest(**R, label="Home", address=ADDRESS),
        AddAddressCommand(PRINCIPALS[CUSTOMER], RequestId(RID), Label("Home"), samples.ADDRESS),
        Answer(samples.SAVED_ADDRESS),
    ),
    Case(
        CUSTOMER,
        "update_address",
        profile.UpdateAddressRequest(address_id=str(RID), label="Work", address=ADDRESS, etag="v1"),
        UpdateAddressCommand(PRINCIPALS[CUSTOMER], AddressId(RID), Label("Work"), samples.ADDRESS, "v1"),
        samples.SAVED_ADDRESS,
    ),
    Case(
        CUSTOMER,
        "prefer_address",
        profile.PreferAddressRequest(address_id=str(RID)),
        PreferAddressCommand(PRINCIPALS[CUSTOMER], AddressId(RID)),
        samples.SAVED_ADDRESS,
    ),
    Case(
        CUSTOMER,
        "remove_address",
        profile.RemoveAddressRequest(address_id=str(RID)),
        RemoveAddressCommand(PRINCIPALS[CUSTOMER], AddressId(RID)),
        None,
    ),
    Case(
        CUSTOMER,
        "export_my_data",
        profile.ExportMyDataRequest(),
        ExportMyDataCommand(PRINCIPALS[CUSTOMER]),
        '{"account": {}}',
    ),
    Case(
        CUSTOMER,
        "change_password",
        password_service_pb2.ChangePasswordRequest(old_password="Blue-kurta-9", new_password="Red-kurta-10"),
        ChangePasswordCommand(PRINCIPALS[CUSTOMER], "Blue-kurta-9", "Red-kurta-10", HERE),
        None,
    ),
    Case(
        CUSTOMER,
        "request_password_reset",
        password_service_pb2.RequestPasswordResetRequest(email="asha@example.in"),
        RequestPasswordResetCommand("asha@example.in"),
        None,
    ),
    Case(
        CUSTOMER,
        "reset_password",
        password_service_pb2.ResetPasswordRequest(token="link", new_password="Red-kurta-10"),
        ResetPasswordCommand("link", "Red-kurta-10", HERE),
        None,
    ),
    Case(
        CUSTOMER,
        "request_email_confirmation",
        password_service_pb2.RequestEmailConfirmationRequest(),
        RequestEmailConfirmationCommand(PRINCIPALS[CUSTOMER]),
        None,
    ),
    Case(
        CUSTOMER,
        "confirm_email",
        password_service_pb2.ConfirmEmailRequest(token="link"),
        ConfirmEmailCommand(PRINCIPALS[CUSTOMER], "link"),
        None,
    ),
    Case(
        CUSTOMER,
        "request_unlock",
        password_service_pb2.RequestUnlockRequest(email="asha@example.in"),
        RequestUnlockCommand("asha@example.in"),
        None,
    ),
    Case(CUSTOMER, "unlock", password_service_pb2.UnlockRequest(token="link"), UnlockCommand("link", HERE), None),
    Case(
        CUSTOMER,
        "delete_my_account",
        profile.DeleteMyAccountRequest(password="Blue-kurta-9"),
        DeleteMyAccountCommand(PRINCIPALS[CUSTOMER], "Blue-kurta-9", HERE),
        None,
    ),
    Case(
        CUSTOMER,
        "list_products",
        catalog.ListProductsRequest(sort=catalog.PRODUCT_SORT_PRICE_DESC, **FILTERS),
        ListProductsCommand(WHICH, Sort.PRICE_DESCENDING, PageRequest(7)),
        Page((samples.SUMMARY,), CURSOR),
    ),
    Case(
        CUSTOMER,
        "search_products",
        catalog.SearchProductsRequest(query="indigo kurta", **FILTERS),
        SearchProductsCommand("indigo kurta", WHICH, PageRequest(7)),
        Page((samples.SUMMARY,), CURSOR),
    ),
    Case(
        CUSTOMER,
        "get_product",
        catalog.GetProductRequest(product_id=str(RID)),
        GetProductCommand(ProductId(RID)),
        samples.PRODUCT,
    ),
    Case(
        DESIGNER,
        "get_stock",
        stock.GetStockRequest(**V),
        GetStockCommand(PRINCIPALS[DESIGNER], VariantId(VARIANT)),
        samples.LEVEL,
    ),
    Case(
        DESIGNER,
        "receive_stock",
        stock.ReceiveStockRequest(**BOTH, quantity=5, reason="delivery"),
        ReceiveStockCommand(PRINCIPALS[DESIGNER], RequestId(RID), VariantId(VARIANT), 5, "delivery"),
        Answer(samples.LEVEL),
    ),
    Case(
        DESIGNER,
        "explain_availability",
        stock.ExplainAvailabilityRequest(**V),
        ExplainAvailabilityCommand(PRINCIPALS[DESIGNER], VariantId(VARIANT)),
        samples.AVAILABILITY,
    ),
    Case(
        DESIGNER,
        "batch_receive_stock",
        stock.BatchReceiveStockRequest(
            **R,
            lines=[stock.DeliveryLine(**V, quantity=5), stock.DeliveryLine(sku="AN-1-L", quantity=6)],
            reason="delivery",
        ),
        BatchReceiveStockCommand(
            PRINCIPALS[DESIGNER],
            RequestId(RID),
            (DeliveryLine(5, variant_id=VariantId(VARIANT)), DeliveryLine(6, sku="AN-1-L")),
            "delivery",
        ),
        Answer(ReceivedBatch((samples.LEVEL, samples.LEVEL))),
    ),
    Case(
        ADMIN,
        "set_stock",
        stock.SetStockRequest(**BOTH, on_hand=7, reason="counted", etag="v4"),
        SetStockCommand(PRINCIPALS[ADMIN], RequestId(RID), VariantId(VARIANT), 7, "v4", "counted"),
        Answer(samples.LEVEL),
    ),
    Case(
        DESIGNER,
        "set_low_stock_threshold",
        stock.SetLowStockThresholdRequest(**BOTH, low_stock_threshold=3),
        SetLowStockThresholdCommand(PRINCIPALS[DESIGNER], RequestId(RID), VariantId(VARIANT), 3),
        Answer(samples.LEVEL),
    ),
    Case(
        ADMIN,
        "adjust_stock",
        stock.AdjustStockRequest(**BOTH, delta=-5, reason="moths", etag="v4"),
        AdjustStockCommand(PRINCIPALS[ADMIN], RequestId(RID), VariantId(VARIANT), -5, "moths", "v4"),
        Answer(samples.LEVEL),
    ),
    Case(
        DESIGNER,
        "list_stock_movements",
        stock.ListStockMovementsRequest(**V, page_size=3),
        ListStockMovementsCommand(PRINCIPALS[DESIGNER], VariantId(VARIANT), PageRequest(3)),
        Page((samples.MOVEMENT,), CURSOR),
    ),
    Case(
        CUSTOMER,
        "create_guest_cart",
        cart.CreateGuestCartRequest(),
        None,
        NewGuestCart(samples.CART, GuestToken("g" * 43)),
    ),
    Case(
        CUSTOMER,
        "merge_guest_cart",
        cart.MergeGuestCartRequest(**R, guest_token="g" * 43),
        MergeGuestCartCommand(CUSTOMER_ID, RequestId(RID), GuestToken("g" * 43)),
        Answer(MergedCart(samples.CART, (samples.CUT,))),
    ),
    Case(CUSTOMER, "get_cart", cart.GetCartRequest(), GetCartCommand(OWNER), samples.CART),
    Case(
        CUSTOMER,
        "add_item",
        cart.AddItemRequest(**BOTH, quantity=2),
        AddItemCommand(OWNER, RequestId(RID), VariantId(VARIANT), 2),
        Answer(samples.CART),
    ),
    Case(
        CUSTOMER,
        "change_item",
        cart.ChangeItemRequest(**BOTH, quantity=3),
        ChangeItemCommand(OWNER, RequestId(RID), VariantId(VARIANT), 3),
        Answer(samples.CART),
    ),
    Case(
        CUSTOMER,
        "remove_item",
        cart.RemoveItemRequest(**BOTH),
        RemoveItemCommand(OWNER, RequestId(RID), VariantId(VARIANT)),
        Answer(samples.CART),
    ),
    Case(
        CUSTOMER,
        "clear_cart",
        cart.ClearCartRequest(**R),
        ClearCartCommand(OWNER, RequestId(RID)),
        Answer(samples.CART),
    ),
    Case(
        CUSTOMER,
        "validate_cart",
        cart.ValidateCartRequest(),
        ValidateCartCommand(OWNER),
        CartValidation(samples.CART, (samples.RAISED,)),
    ),
    Case(
        CUSTOMER,
        "start_checkout",
        checkout.StartCheckoutRequest(**R, address=ADDRESS, expected_total=PRICE),
        StartCheckoutCommand(CUSTOMER_ID, RequestId(RID), samples.ADDRESS, Money(100, INR)),
        Answer(samples.CHECKOUT),
    ),
    Case(
        CUSTOMER,
        "get_checkout",
        checkout.GetCheckoutRequest(checkout_id=str(VARIANT)),
        GetCheckoutCommand(CUSTOMER_ID, CheckoutId(VARIANT)),
        samples.CHECKOUT,
    ),
    Case(
        CUSTOMER,
        "abandon_checkout",
        checkout.AbandonCheckoutRequest(**R, checkout_id=str(VARIANT)),
        AbandonCheckoutCommand(CUSTOMER_ID, RequestId(RID), CheckoutId(VARIANT)),
        Answer(samples.CHECKOUT),
    ),
    Case(
        CUSTOMER,
        "place_order",
        order.PlaceOrderRequest(
            **R,
            checkout_id=str(VARIANT),
            razorpay_payment_id="pay_1",
            razorpay_order_id="order_1",
            razorpay_signature="a" * 64,
        ),
        PlaceOrderCommand(CUSTOMER_ID, RequestId(RID), CheckoutId(VARIANT), "pay_1", "order_1", "a" * 64),
        Answer(samples.ORDER),
    ),
    Case(
        CUSTOMER,
        "get_order",
        order.GetOrderRequest(order_id=str(VARIANT)),
        GetOrderCommand(CUSTOMER_ID, OrderId(VARIANT)),
        samples.ORDER,
    ),
    Case(
        CUSTOMER,
        "list_orders",
        order.ListOrdersRequest(page_size=1000),
        ListOrdersCommand(CUSTOMER_ID, PageRequest(100)),
        Page((samples.ORDER_SUMMARY,), CURSOR),
    ),
    Case(
        CUSTOMER,
        "cancel_order",
        order.CancelOrderRequest(request_id=str(RID), order_id=str(VARIANT), reason="too long"),
        CancelOrderCommand(PRINCIPALS[CUSTOMER], None, RequestId(RID), OrderId(VARIANT), "too long"),
        Answer(samples.ORDER),
    ),
    Case(
        ADMIN,
        "refund_order",
        order.RefundOrderRequest(
            request_id=str(RID),
            order_id=str(VARIANT),
            lines=[order.RefundLine(position=2, quantity=1)],
            shipping_minor=4_900,
            restock=True,
            reason="one came torn",
        ),
        RefundOrderCommand(
            PRINCIPALS[ADMIN],
            PROOF,
            RequestId(RID),
            OrderId(VARIANT),
            (LineQuantity(2, 1),),
            Money(4_900, INR),
            restock=True,
            reason="one came torn",
        ),
        Answer(samples.REFUND),
    ),
    Case(
        CUSTOMER,
        "list_refunds",
        order.ListRefundsRequest(order_id=str(VARIANT)),
        ListRefundsCommand(PRINCIPALS[CUSTOMER], OrderId(VARIANT)),
        (samples.REFUND,),
    ),
    Case(
        CUSTOMER,
        "get_payment",
        payment.GetPaymentRequest(payment_id=str(VARIANT)),
        GetPaymentCommand(PRINCIPALS[CUSTOMER], PaymentId(VARIANT)),
        samples.PAYMENT,
    ),
    Case(ADMIN, "check_promises", ops.CheckPromisesRequest(), None, samples.REPORT),
    Case(
        ADMIN,
        "list_open_cases",
        ops.ListOpenCasesRequest(),
        ListOpenCasesCommand(PageRequest()),
        Page((samples.CASE,), CURSOR),
    ),
    Case(
        ADMIN,
        "resolve_case",
        ops.ResolveCaseRequest(
            request_id=str(RID),
            case_id=str(VARIANT),
            resolution=promise_pb2.PaymentCase.RESOLUTION_WRITE_OFF,
            reason="paid by bank transfer",
        ),
        ResolveCaseCommand(
            PRINCIPALS[ADMIN], PROOF, RequestId(RID), CaseId(VARIANT), Resolution.WRITE_OFF, "paid by bank transfer"
        ),
        Answer(samples.CASE),
    ),
]
