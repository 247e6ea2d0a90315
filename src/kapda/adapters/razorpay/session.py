"""The HTTP session under the SDK: decides what the SDK leaves open, and reads errors before the SDK reduces them."""

import io
import ssl
import threading
import time
from functools import cache
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from kapda.adapters.razorpay.answers import refusal
from kapda.adapters.razorpay.errors import NoAnswerError, NotSentError

# Far above a full page of 100 payments.
_BODY_LIMIT = 1024 * 1024
_CHUNK = 64 * 1024

_trust_lock = threading.Lock()


def trusting_this_machine() -> ssl.SSLContext:
    """What verifies Razorpay's certificate: the machine's CA set, certifi's where it has none, never the SDK's of 2015.

    Reading the set costs a mebibyte and some milliseconds, so all sessions of a process share one.
    """
    with _trust_lock:
        return _read_trust()


@cache
def _read_trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ssl.get_default_verify_paths().cafile or DEFAULT_CA_BUNDLE_PATH)


class _Verified(HTTPAdapter):
    """Connections that all verify, with the one context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """See requests."""
        super().init_poolmanager(*args, **options, ssl_context=self._context)

    def cert_verify(self, conn: Any, _url: Any, _verify: Any, _cert: Any) -> None:
        """See requests, which would have the context read a set of its own for each connection."""
        conn.cert_reqs = "CERT_REQUIRED"


class WalledSession(requests.Session):
    """One thread's connections to Razorpay.

    Every request verifies with the `tls` it was given, follows no redirect, ignores proxies and netrc of the environment,
    keeps no cookie, and ends at `deadline`, a monotonic time that the caller sets before each call.
    """

    def __init__(self, tls: ssl.SSLContext, *, connect_timeout: float, read_timeout: float) -> None:
        super().__init__()
        self.mount("https://", _Verified(tls))
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.deadline = 0.0
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        """Sends a request, and returns a 2xx answer with its whole body in memory.

        Raises:
            ApiError: Razorpay said no, and did nothing.
            NoAnswerError: anything else that is not 2xx, in time and of sensible size.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise NotSentError("not sent: no time was left")
        options.update(
            timeout=(min(self._connect_timeout, left), min(self._read_timeout, left)),
            verify=True,
            allow_redirects=False,
            stream=True,
        )
        try:
            with super().request(method, url, *args, **options) as response:
                body = self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswerError(type(error).__name__) from error
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(response.status_code, body)
        try:
            # The SDK would lose the status of what is not JSON, and print.
            msgspec.json.decode(body, type=msgspec.Raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NoAnswerError(f"HTTP {response.status_code} without JSON") from error
        answer = requests.Response()
        answer.status_code = response.status_code
        answer.raw = io.BytesIO(body)
        return answer

    def _read(self, response: requests.Response) -> bytes:
        # read1 hands over what one receive brought; the plain read waits for a full chunk, however slowly it drips.
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > _BODY_LIMIT:
                raise NoAnswerError("the answer is too large")
            if time.monotonic() > self.deadline:
                raise NoAnswerError("the answer did not end in time")
        return bytes(body)
