"""The Google half of the sandbox: accounts, tokens and Gmail under one prefix."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import Answered, Core
from bridge.sandbox.gmail import GmailApi
from bridge.sandbox.gmail_people import SandboxGmail
from bridge.sandbox.google_oauth import GoogleOAuth

_GMAIL = "/gmail/v1/users/"


class GoogleHalf:
    """Fits ``core.Service``.

    ``gmail`` has the people, their mailboxes and all that they do; ``oauth`` the clients, consents and tokens;
    ``api`` the quota meter and the project's switches.
    """

    name = "google"

    def __init__(self, core: Core, prefix: str = "/google") -> None:
        self.gmail = SandboxGmail(core)
        self.oauth = GoogleOAuth(core, self.gmail)
        self.api = GmailApi(core, self.gmail, self.oauth.access)
        self._prefix = prefix.rstrip("/")

    def identify(self, request: Request) -> tuple[str, str]:
        """Return the operation and the person, each '' where unknown."""
        path = request.path.removeprefix(self._prefix)
        if path.startswith(_GMAIL):
            return self.api.identify(request, path.removeprefix(_GMAIL))
        return self.oauth.identify(request, path)

    def answer(self, request: Request) -> Answered:
        """Carry a request out."""
        path = request.path.removeprefix(self._prefix)
        if path.startswith(_GMAIL):
            return self.api.answer(request, path.removeprefix(_GMAIL))
        if self.oauth.identify(request, path)[0]:
            return self.oauth.answer(request, path)
        page = "<html><title>Error 404 (Not Found)!!1</title></html>"
        return Answered(Response(page, status=404, content_type="text/html; charset=UTF-8"))
