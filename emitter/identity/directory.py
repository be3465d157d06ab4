"""Look people up in Slack and Microsoft Graph, after the reply and within 2 s.

`requests` is imported at the first look-up, never before.
"""

from __future__ import annotations

import importlib.util
import inspect
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import parse_json
from emitter.identity.answers import reason_for_status
from emitter.identity.lookup import MAX_PEOPLE, TIMEOUT_S, LookUps
from emitter.identity.model import LookupFailure
from emitter.loading import AT_CONNECTION, load

if TYPE_CHECKING:
    import requests

    from emitter.identity.remembered import Answer

Token = str | Callable[[], str] | Callable[[str], str]

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


class Directory(LookUps):
    """Looks people up over HTTPS; see `LookUps`.

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
        max_people: int = MAX_PEOPLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if importlib.util.find_spec("requests") is None:
            raise ImportError(
                f"{type(self).__name__} needs requests: install chatbot-audit[identity]"
            )
        self._token = token
        self._base_url = (base_url or self.default_url).rstrip("/")
        super().__init__(timeout_s=timeout_s, max_people=max_people, clock=clock)

    def _start(self) -> None:
        super()._start()
        # Connections must not be shared over a fork either.
        self._session: requests.Session | None = None

    def _fetch(self, platform_id: str) -> Answer:
        owner, _, user = platform_id.rpartition("/")
        if not any(char.isalnum() for char in user):
            return LookupFailure("not_found")
        token = self._current_token(owner)
        if inspect.iscoroutine(token):
            token.close()  # there is no loop here that could await it
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
