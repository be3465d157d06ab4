"""Slack and the Bot Connector on this machine: they take what the bots send.

Nothing here leaves the loopback interface.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from botbuilder.core import (
    BotFrameworkAdapter,
    BotFrameworkAdapterSettings,
    TurnContext,
)
from botbuilder.schema import Activity, ResourceResponse
from slack_bolt import App
from slack_sdk import WebClient

_NO_TOKEN = "xoxb-invented"  # noqa: S105 - nothing asks for a real one
_ANSWERS: dict[str, dict[str, Any]] = {
    "/api/auth.test": {
        "ok": True,
        "url": "https://example.slack.com/",
        "team": "Example",
        "team_id": "T01EXAMPLE",
        "user": "vera",
        "user_id": "U0VERA",
        "bot_id": "B0VERA",
    },
    "/api/chat.postMessage": {"ok": True, "channel": "C0HELPDESK", "ts": "1.000001"},
}
_UNKNOWN = {"ok": False, "error": "unknown_method"}


class SlackStub:
    """Slack's Web API as far as Vera calls it; listens until it is closed.

    Attributes:
        posted: The messages that were posted, oldest first.
    """

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening; can be called twice."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def make_app(self) -> App:
        """Return a Bolt app whose Slack is this one; it trusts every request."""
        url = f"http://127.0.0.1:{self._server.server_port}/api/"
        return App(
            client=WebClient(_NO_TOKEN, base_url=url),
            process_before_response=True,
            request_verification_enabled=False,
            token_verification_enabled=False,
        )

    def answer(self, path: str, body: str) -> dict[str, Any]:
        """Answer one call of Slack's Web API; messages are posted as JSON."""
        if path.endswith("/chat.postMessage"):
            self.posted.append(json.loads(body))
        return _ANSWERS.get(path, _UNKNOWN)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size).decode()
                answer = json.dumps(stub.answer(urlsplit(self.path).path, body))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler


class KeepingAdapter(BotFrameworkAdapter):
    """Bot Framework's adapter, but what the bot sends is kept here.

    Attributes:
        sent: The activities that were sent, oldest first.
    """

    def __init__(self) -> None:
        super().__init__(BotFrameworkAdapterSettings("", ""))
        self.sent: list[Activity] = []

    async def send_activities(
        self, _: TurnContext, activities: list[Activity]
    ) -> list[ResourceResponse]:
        """Keep what would go to the Bot Connector."""
        self.sent.extend(activities)
        return [ResourceResponse(id=str(len(self.sent))) for _ in activities]
