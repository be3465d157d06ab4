"""Look people up in Slack and Microsoft Graph, after the reply and within 2 s.

One attempt, no retry: no wait is worth it here, and Graph may answer 429 without
Retry-After. `requests` is imported at the first look-up, never before.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import attribute, parse_json
from emitter.identity.model import LookupFailure
from emitter.identity.remembered import Answer, Remembered
from emitter.loading import AT_CONNECTION, load

if TYPE_CHECKING:
    import requests

Token = str | Callable[[], str] | Callable[[str], str]

# Whole look-up: token, name resolution, connection and answer.
TIMEOUT_S: Final = 2.0
# Look-ups under way at once; a directory that hangs ties up no more threads.
MAX_CALLS: Final = 8
# A user of either directory takes a few kilobytes.
MAX_ANSWER_BYTES: Final = 1_048_576

SLACK_URL: Final = "https://slack.com/api"
GRAPH_URL: Final = "https://graph.microsoft.com/v1.0"
# Everything beyond id, UPN and mail is left out by Graph unless selected.
GRAPH_SELECT: Final = (
    "id,userPrincipalName,mail,userType,department,accountEnabled,"
    "mailNickname,onPremisesSamAccountName"
)

_CHUNK_BYTES: Final = 1_024
_OK: Final = 200
_REASONS_BY_STATUS: Final = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    429: "throttled",
}


class Directory:
    """Looks people up over HTTPS and remembers the answers by platform id.

    Thread-safe, and safe to use after a fork. Two threads that ask for the same
    person share one call. A call that outlasts the time limit goes on in its own
    thread, and its late answer is remembered.

    Args:
        token: Bearer token, or a callable that gives one for each look-up; a
            callable with a parameter gets the workspace or tenant id.
        base_url: Where the API lives; tests put a stub there.
        timeout_s: Limit of a look-up in all.
        max_people: Answers remembered; the least recently used goes first.
        clock: Monotonic seconds.

    Raises:
        ImportError: `requests` is not installed (extra ``identity``).
    """

    default_url = ""

    def __init__(
        self,
        token: Token,
        *,
        base_url: str | None = None,
        timeout_s: float = TIMEOUT_S,
        max_people: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if importlib.util.find_spec("requests") is None:
            raise ImportError(
                f"{type(self).__name__} needs requests: install chatbot-audit[identity]"
            )
        self._token = token
        self._base_url = (base_url or self.default_url).rstrip("/")
        self._timeout_s = timeout_s
        self._clock = clock
        self._remembered = Remembered(max_people=max_people, clock=clock)
        self._start()

    def _start(self) -> None:
        """Make what must not be shared over a fork: locks, calls, connections."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(MAX_CALLS)
        self._calls: dict[str, _Call] = {}
        self._session: requests.Session | None = None

    def __call__(self, platform_id: str) -> Answer:
        """Look up one person; the same as `look_up`."""
        return self.look_up(platform_id)

    def look_up(self, platform_id: str) -> Answer:
        """Return the directory's answer, or a `LookupFailure`. Never raises.

        Blocks for the time limit at most.

        Args:
            platform_id: ``team/user`` or ``tenant/object id``; also the user's
                or object id alone.
        """
        if self._pid != os.getpid():
            self._start()
        with self._lock:
            known = self._remembered.get(platform_id)
            if known is not None:
                return known
            call = self._calls.get(platform_id) or self._begin(platform_id)
        if not call.done.wait(self._timeout_s):
            self._give_up(platform_id, call)
        return call.answer

    def _give_up(self, platform_id: str, call: _Call) -> None:
        """Remember the time-out, so that the next question need not wait as well."""
        with self._lock:
            if self._calls.get(platform_id) is call:
                self._remembered.put(platform_id, LookupFailure("timeout"))

    def _begin(self, platform_id: str) -> _Call:
        call = self._calls[platform_id] = _Call()
        threading.Thread(
            target=self._run,
            args=(platform_id, call),
            name="chatbot-audit-directory",
            daemon=True,
        ).start()
        return call

    def _run(self, platform_id: str, call: _Call) -> None:
        answer: Answer = call.answer
        try:
            if self._slots.acquire(timeout=self._timeout_s):
                try:
                    answer = self._fetch(platform_id)
                finally:
                    self._slots.release()
        except Exception as error:  # noqa: BLE001 - a token callable may raise anything
            answer = LookupFailure(reason_for_error(error))
        with self._lock:
            self._remembered.put(platform_id, answer)
            self._calls.pop(platform_id, None)
            call.answer = answer
        call.done.set()

    def _fetch(self, platform_id: str) -> Answer:
        owner, _, user = platform_id.rpartition("/")
        if not any(char.isalnum() for char in user):
            return LookupFailure("not_found")
        token = self._current_token(owner)
        if not isinstance(token, str) or not token:
            return LookupFailure("unauthorized")
        url, params = self._request(user)
        return self._get(url, params, token)

    def _current_token(self, owner: str) -> Any:
        if not callable(self._token):
            return self._token
        arguments = (owner,) if _wants_argument(self._token) else ()
        return self._token(*arguments)

    def _request(self, user: str) -> tuple[str, dict[str, str]]:
        raise NotImplementedError

    def _get(self, url: str, params: dict[str, str], token: str) -> Answer:
        with self._connections().get(
            url,
            params=params,
            # A callable, so that a .netrc entry cannot replace the token.
            auth=_Bearer(token),
            timeout=self._timeout_s,
            # A redirect would carry the token to another place.
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code != _OK:
                return LookupFailure(reason_for_status(response.status_code))
            body = parse_json(self._read(response))
        return body if isinstance(body, dict) else LookupFailure()

    def _read(self, response: requests.Response) -> bytes:
        """Read a bounded body; a server that drips it is left after the limit."""
        ends_at_s = self._clock() + self._timeout_s
        body = b""
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES or self._clock() > ends_at_s:
                return b""
        return body

    def _connections(self) -> requests.Session:
        load("requests", *AT_CONNECTION)
        import requests  # noqa: PLC0415 - bots that never look up never pay for it

        if self._session is None:
            self._session = requests.Session()
        return self._session


class SlackDirectory(Directory):
    """Asks Slack's `users.info`; scopes ``users:read`` and ``users:read.email``."""

    default_url = SLACK_URL

    def _request(self, user: str) -> tuple[str, dict[str, str]]:
        return f"{self._base_url}/users.info", {"user": user}


class TeamsDirectory(Directory):
    """Asks Graph for a user; application permission ``User.Read.All``."""

    default_url = GRAPH_URL

    def _request(self, user: str) -> tuple[str, dict[str, str]]:
        from urllib.parse import quote  # noqa: PLC0415 - comes with requests anyway

        url = f"{self._base_url}/users/{quote(user, safe='')}"
        return url, {"$select": GRAPH_SELECT}


class _Call:
    """A look-up under way; until it is done its answer is a time-out."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.answer: Answer = LookupFailure("timeout")


class _Bearer:
    """Puts the token on a request, and nowhere else."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _wants_argument(token: Callable[..., str]) -> bool:
    try:
        inspect.signature(token).bind()
    except TypeError:
        return True
    except ValueError:  # a builtin without a signature
        return False
    return False


def reason_for_status(status: int) -> str:
    """Return what an HTTP status says in words of `user_resolution`."""
    return _REASONS_BY_STATUS.get(status, "error")


def reason_for_error(error: BaseException) -> str:
    """Return what an exception of a look-up says in words of `user_resolution`.

    Time-outs are told by name, so that requests, httpx, aiohttp and slack_sdk are
    understood without importing any of them.
    """
    status = attribute(attribute(error, "response"), "status_code")
    if isinstance(status, int):
        return reason_for_status(status)
    chain = (error, error.__cause__, error.__context__, *error.args[:1])
    names = (type(each).__name__.lower() for each in chain)
    return "timeout" if any("timeout" in name for name in names) else "error"
