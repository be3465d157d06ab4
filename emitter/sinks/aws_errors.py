"""What AWS and the way to it answer, in the few words that are counted and logged.

The one place where botocore's errors are read. No message of theirs is passed on:
it may repeat what was sent.
"""

from __future__ import annotations

from typing import Final

NOT_FOUND: Final = "not_found"
# May be gone at the next attempt; everything else will be the same again.
PASSING: Final = frozenset(
    {"throttled", "unavailable", "connection", "connect_timeout", "read_timeout"}
)

# Error codes of CloudWatch Logs and of what stands before it. API pages of
# PutLogEvents and CreateLogStream, and "Common errors", read 2026-11.
BY_CODE: Final[dict[str, str]] = {
    "ThrottlingException": "throttled",
    "Throttling": "throttled",
    "ThrottledException": "throttled",
    "TooManyRequestsException": "throttled",
    "RequestLimitExceeded": "throttled",
    "RequestThrottled": "throttled",
    "SlowDown": "throttled",
    "429": "throttled",
    "ServiceUnavailableException": "unavailable",
    "ServiceUnavailable": "unavailable",
    "InternalFailure": "unavailable",
    "InternalServerError": "unavailable",
    "InternalServerException": "unavailable",
    "OperationAbortedException": "unavailable",
    "RequestTimeout": "unavailable",
    "RequestTimeoutException": "unavailable",
    "AccessDeniedException": "denied",
    "AccessDenied": "denied",
    "NotAuthorized": "denied",
    "OptInRequired": "denied",
    "403": "denied",
    "UnrecognizedClientException": "bad_credentials",
    "InvalidClientTokenId": "bad_credentials",
    "InvalidSignatureException": "bad_credentials",
    "SignatureDoesNotMatch": "bad_credentials",
    "IncompleteSignature": "bad_credentials",
    "MissingAuthenticationToken": "bad_credentials",
    "MissingAuthenticationTokenException": "bad_credentials",
    "ExpiredToken": "expired_credentials",
    "ExpiredTokenException": "expired_credentials",
    "RequestExpired": "expired_credentials",
    "ResourceNotFoundException": NOT_FOUND,
    "InvalidParameterException": "invalid_parameter",
    "InvalidParameterValue": "invalid_parameter",
    "ValidationError": "invalid_parameter",
    "ValidationException": "invalid_parameter",
    "SerializationException": "invalid_parameter",
    "InvalidSequenceTokenException": "invalid_sequence_token",
    "LimitExceededException": "limit_exceeded",
    "413": "too_large",
}

# Names of botocore's and Python's own errors on the way.
BY_CLASS: Final[dict[str, str]] = {
    "ConnectTimeoutError": "connect_timeout",
    "ReadTimeoutError": "read_timeout",
    "EndpointConnectionError": "connection",
    "ConnectionClosedError": "connection",
    "ConnectionError": "connection",
    "ConnectionResetError": "connection",
    "HTTPClientError": "connection",
    "ProxyConnectionError": "connection",
    "ResponseStreamingError": "connection",
    "IncompleteReadError": "connection",
    "SSLError": "tls",
    "NoCredentialsError": "no_credentials",
    "PartialCredentialsError": "no_credentials",
    "CredentialRetrievalError": "no_credentials",
    "TokenRetrievalError": "no_credentials",
    "ProfileNotFound": "no_credentials",
    "SSOTokenLoadError": "no_credentials",
    "UnauthorizedSSOTokenError": "no_credentials",
    "NoRegionError": "no_region",
    "InvalidRegionError": "no_region",
    "ParamValidationError": "invalid_parameter",
    "ResponseParserError": "bad_answer",
    "ModuleNotFoundError": "boto3_missing",
    "ImportError": "boto3_missing",
}


def reason_of(error: BaseException) -> str:
    """Return why a call failed, in one of the words above, or ``error``."""
    code = error_code(error)
    if not code:
        return BY_CLASS.get(type(error).__name__, "error")
    is_server_error = len(code) == len("500") and code.startswith("5")
    return BY_CODE.get(code, "unavailable" if is_server_error else "error")


def error_code(error: BaseException) -> str:
    """Return the service's error code; botocore gives the status where none came."""
    response = getattr(error, "response", None)
    details = response.get("Error") if isinstance(response, dict) else None
    code = details.get("Code") if isinstance(details, dict) else None
    # Some front ends write the code with its namespace and more: "ns#Code:text".
    return str(code).rpartition("#")[2].partition(":")[0] if code else ""
