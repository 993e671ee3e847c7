"""The mailbox page: threads to label with a click, a reply that arrives, and beside them what stands in Confluence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from bridge.sandbox.confluence_state import Wiki
from bridge.sandbox.core import Core, Handler
from bridge.sandbox.gmail_people import SandboxGmail
from bridge.sandbox.pages import Pages, own_origin, stamp, wiki_stamp
from bridge.sandbox.pages_threads import mail_view, thread_rows, thread_with


class MailPage:
    """The page under ``/mail``; see ``mail_page`` for the arguments."""

    def __init__(
        self,
        core: Core,
        gmail: SandboxGmail,
        wiki: Wiki,
        labels: Sequence[str],
        reply: Callable[[str, str], object],
        printed: Callable[[], Sequence[str]],
    ) -> None:
        self._core, self._gmail, self._wiki = core, gmail, wiki
        self._labels = tuple(labels)
        self._reply, self._printed = reply, printed
        self._pages = Pages("/mail/live.js")

    def __call__(self, request: Request) -> Response:
        """Answer a request at or below ``/mail``."""
        path = request.path.rstrip("/")
        if request.method == "POST":
            return self._post(request, path)
        with self._core.lock:
            person = self._person(request)
            if person is None:
                return self._pages.plain("Nobody here has that address. Open /mail to see who has.", 404)
            if path == "/mail":
                return self._list(request, person)
            if path == "/mail/state.json":
                return self._state(person)
            if path == "/mail/thread":
                return self._thread(request, person)
            if path == "/mail/live.js":
                return self._pages.script()
        return self._pages.plain("Nothing here. The mailboxes are at /mail.", 404)

    def _post(self, request: Request, path: str) -> Response:
        if not own_origin(request):
            return self._pages.plain("Only the page itself may do this.", 403)
        action = {"/mail/label": self._label, "/mail/unlabel": self._unlabel, "/mail/reply": self._arrive}.get(path)
        person, thread = self._person(request), request.form.get("thread", "")
        if action is None or person is None or thread not in self._gmail.mailbox(person).by_thread:
            return self._pages.plain("No such thread. Open /mail and choose one.", 404)
        sentence = action(person, thread, request.form.get("label", ""))
        if sentence:
            return self._pages.plain(sentence, 400)
        return self._pages.back("/mail?" + urlencode({"person": person}))

    def _label(self, person: str, thread: str, label: str) -> str:
        with self._core.lock:
            if not label.strip():
                return "Say which label."
            if self._gmail.mailbox(person).labels.find(label) is None:
                self._gmail.create_label(person, label)
            self._gmail.label_thread(person, thread, label)
        return ""

    def _unlabel(self, person: str, thread: str, label: str) -> str:
        with self._core.lock:
            if self._gmail.mailbox(person).labels.find(label) is None:
                return f"{person} has no label {label}."
            self._gmail.unlabel_thread(person, thread, label)
        return ""

    def _arrive(self, person: str, thread: str, _label: str) -> str:
        self._reply(person, thread)
        return ""

    def _person(self, request: Request) -> str | None:
        wanted = request.values.get("person", "").lower()
        people = [person.address for person in self._gmail.people]
        if not wanted:
            return people[0] if people else None
        return wanted if wanted in people else None

    def _list(self, request: Request, person: str) -> Response:
        rows = thread_rows(self._gmail, self._wiki, person)
        return self._pages.page(
            request,
            "mail.html",
            people=self._gmail.people,
            person=person,
            rows=rows,
            labels=self._labels,
            printed=list(self._printed())[-6:],
            stamp=self._stamp(person),
            state=f"/mail/state.json?{urlencode({'person': person})}",
        )

    def _state(self, person: str) -> Response:
        rows = thread_rows(self._gmail, self._wiki, person)
        return self._pages.json(
            {"person": person, "stamp": self._stamp(person), "threads": [asdict(row) for row in rows]}
        )

    def _thread(self, request: Request, person: str) -> Response:
        mailbox = self._gmail.mailbox(person)
        thread = request.args.get("thread") or thread_with(mailbox, request.args.get("message", ""))
        view = mailbox.current(thread) if thread else None
        if view is None:
            return self._pages.plain(f"{person} has no such mail.", 404)
        return self._pages.page(
            request,
            "mail_thread.html",
            people=self._gmail.people,
            person=person,
            row=next(row for row in thread_rows(self._gmail, self._wiki, person) if row.id == view.id),
            mails=[mail_view(mailbox, message) for message in view.messages],
            stamp=self._stamp(person),
            state=f"/mail/state.json?{urlencode({'person': person})}",
        )

    def _stamp(self, person: str) -> str:
        return stamp(self._gmail.mailbox(person).history_id, wiki_stamp(self._wiki), list(self._printed())[-6:])


def mail_page(
    core: Core,
    gmail: SandboxGmail,
    wiki: Wiki,
    *,
    labels: Sequence[str],
    reply: Callable[[str, str], object],
    printed: Callable[[], Sequence[str]] = tuple,
) -> Handler:
    """Return the handler for ``/mail``.

    Args:
        core: for its lock.
        gmail: the mailboxes that are shown.
        wiki: where the published pages are looked for, by the Message-IDs that their origin links name.
        labels: the names of the labels that the page offers.
        reply: called with a person's address and a thread id when "A reply arrives" is pressed.
        printed: gives the lines that the daemon printed lately, oldest first; the last six are shown.
    """
    return MailPage(core, gmail, wiki, labels, reply, printed)
