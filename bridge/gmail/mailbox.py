"""One person's mailbox, read only."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.errors import HttpError

from bridge.clock import Clock
from bridge.errors import CredentialRefused, NotFound, Refused, Temporary, TokenExpired
from bridge.gmail.answers import NO_ANSWER, TOO_LARGE, checked, failure, lost, malformed, swollen
from bridge.gmail.service import GmailService
from bridge.gmail.values import History, Label, Profile, Touched, joined, label_ids_of, number, objects, touches_of
from bridge.http import HttpLike, TokenSource

PAGE = 500
"""The most rows that Gmail puts on a page."""

MOST_PAGES = 2000
"""A listing of more pages than this (a million rows) is taken for a server that turns in circles."""

UNITS = {"profile": 1, "labels": 1, "history": 2, "threads.list": 10, "threads.get": 40, "message": 20, "file": 20}
"""Quota units of a call, in the table that projects registered since May 2026 get; the older one is never above it."""


class Request(Protocol):
    """As much of the library's request as is used here."""

    def execute(self, http: Any = None, num_retries: int = 0) -> Any:
        """Send it; return the parsed body."""
        ...


class Gmail:
    """One mailbox through one Http; a thread at a time may use it.

    Every method raises a ``RemoteError`` where it does not return: ``Temporary`` (no answer, no JSON object),
    ``RateLimited``, ``TooLarge``, ``NeedsConsent``, ``OperatorMustAct``, ``PersonMustAct``, ``CredentialRefused``, and
    what else is named with it. A 401 is answered by one refresh and one repetition; all calls are reads.

    Args:
        service: shared by all mailboxes.
        http: lent to this mailbox for as long as the object lives.
        token: gives the access token.
        clock: for pauses that Gmail gives as an instant.
        meter: is told the quota units of each request before it is sent; may wait.
    """

    def __init__(
        self,
        service: GmailService,
        http: HttpLike,
        token: TokenSource,
        *,
        clock: Clock,
        meter: Callable[[int], None] | None = None,
    ) -> None:
        self._service = service
        self._http = http
        self._token = token
        self._clock = clock
        self._meter = meter

    def profile(self) -> Profile:
        """Return whose mailbox it is and where its history stands."""
        answer = self._call(self._service.users.getProfile(userId="me"), UNITS["profile"])
        address = answer.get("emailAddress")
        if not isinstance(address, str) or not address:
            raise malformed("the mailbox's address")
        return Profile(address.lower(), number(answer.get("historyId"), "the mailbox's history id"))

    def labels(self) -> tuple[Label, ...]:
        """Return all labels, those of Gmail itself too."""
        answer = self._call(self._service.labels.list(userId="me"), UNITS["labels"])
        if not objects(answer.get("labels")):
            raise malformed("the labels")  # Gmail's own are always there; without any, every route would lose its own
        return tuple(
            Label(str(row["id"]), str(row.get("name") or row["id"]), str(row.get("type") or "user"))
            for row in objects(answer.get("labels"))
            if row.get("id")
        )

    def history(self, start: int) -> History:
        """Return what happened after a history id: every page, all four kinds of record, no label filter.

        Raises:
            NotFound: the history does not reach back so far; a full pass must take its place.
        """
        touched: dict[str, Touched] = {}
        labels: set[str] = set()
        cursor, records = 0, 0
        for page in self._history_pages(start):
            here = number(page.get("historyId"), "its history id")
            cursor = min(cursor, here) if cursor else here
            for record in objects(page.get("history")):
                records += 1
                record_id = number(record.get("id", here), "a record's id")
                labels |= label_ids_of(record)
                for thread_id, said in touches_of(record, record_id).items():
                    touched[thread_id] = joined(touched.get(thread_id), said)
        return History(touched, cursor, frozenset(labels), records)

    def threads_with_label(self, label_id: str) -> Iterator[tuple[str, int]]:
        """Yield id and history id of each thread with a message under a label, newest first, not those in the bin."""

        def ask(page_token: str) -> Request:
            more = {"pageToken": page_token} if page_token else {}
            return self._service.threads.list(userId="me", labelIds=[label_id], maxResults=PAGE, **more)  # type: ignore[arg-type]

        for page in self._pages(ask, "threads", UNITS["threads.list"]):
            if "threads" not in page and "resultSizeEstimate" not in page:
                raise malformed("the threads")
            for row in objects(page.get("threads")):
                if row.get("id"):
                    yield str(row["id"]), number(row.get("historyId"), "a thread's history id")

    def thread(self, thread_id: str) -> dict[str, Any]:
        """Return a thread with all its messages in full, as Gmail gives it; drafts and binned messages are among them.

        Raises:
            NotFound: it is gone.
        """
        answer = self._call(self._service.threads.get(userId="me", id=thread_id, format="full"), UNITS["threads.get"])
        for message in objects(answer.get("messages")):
            _whole(message)
        return _same(answer, thread_id)

    def label_ids(self, thread_id: str) -> frozenset[str]:
        """Return the labels that stand on a thread's messages, without reading the mail.

        Raises:
            NotFound: it is gone.
        """
        answer = self._call(
            self._service.threads.get(userId="me", id=thread_id, format="minimal"), UNITS["threads.get"]
        )
        listed = objects(_same(answer, thread_id).get("messages"))
        return frozenset(name for message in listed for name in message.get("labelIds") or () if isinstance(name, str))

    def message(self, message_id: str) -> dict[str, Any]:
        """Return one message in full; its attachment ids are new and good for a while.

        Raises:
            NotFound: it is gone.
        """
        answer = self._call(self._service.messages.get(userId="me", id=message_id, format="full"), UNITS["message"])
        return _same(_whole(answer), message_id)

    def attachment(self, message_id: str, attachment_id: str) -> bytes:
        """Return the bytes of a part.

        Raises:
            Refused: the id has died, as they all do; read the message again and take the new id of the same part.
            NotFound: the message is gone.
        """
        answer = self._call(
            self._service.attachments.get(userId="me", messageId=message_id, id=attachment_id), UNITS["file"]
        )
        data = answer.get("data", "")
        if not isinstance(data, str) or (not data and str(answer.get("size")) != "0"):
            raise malformed("an attachment's bytes")
        try:
            return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
        except (binascii.Error, ValueError):
            raise malformed("an attachment's whole bytes") from None

    def _history_pages(self, start: int) -> Iterator[dict[str, Any]]:
        def ask(page_token: str) -> Request:
            more = {"pageToken": page_token} if page_token else {}
            return self._service.history.list(
                userId="me",
                startHistoryId=str(start),
                historyTypes=["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"],
                maxResults=PAGE,
                **more,
            )

        try:
            yield from self._pages(ask, "history", UNITS["history"])
        except Refused as refused:
            if "startHistoryId" not in refused.answer.text:
                raise
            raise NotFound("Gmail does not know this cursor.", provider="google", answer=refused.answer) from None

    def _pages(self, ask: Callable[[str], Request], rows: str, units: int) -> Iterator[dict[str, Any]]:
        """Yield each page; one may have a token and no rows, and a token that comes again ends an empty listing."""
        token, seen = "", {""}
        for _ in range(MOST_PAGES):
            page = self._call(ask(token), units)
            yield page
            token = str(page.get("nextPageToken") or "")
            if not token or (token in seen and not page.get(rows)):
                return
            if token in seen:
                break
            seen.add(token)
        raise Temporary("Gmail gives the same page of a list again and again.", provider="google")

    def _call(self, request: Request, units: int) -> dict[str, Any]:
        token = self._token()
        try:
            return self._send(request, units, token)
        except TokenExpired:
            token = self._token(refused=token)
        try:
            return self._send(request, units, token)
        except TokenExpired as expired:
            raise CredentialRefused(
                "Google refuses even a new access token.", provider="google", answer=expired.answer
            ) from None

    def _send(self, request: Request, units: int, token: str) -> dict[str, Any]:
        if self._meter is not None:
            self._meter(units)
        # Without refresh token and expiry, and with no status to refresh at, the library leaves a 401 to us.
        authorized = AuthorizedHttp(Credentials(token), http=self._http, refresh_status_codes=())  # type: ignore[no-untyped-call]
        try:
            return checked(request.execute(http=authorized, num_retries=0))
        except HttpError as error:
            raise failure(error, self._clock.now()) from None
        except NO_ANSWER as exc:
            self._http.close()
            raise lost(exc) from exc
        except TOO_LARGE as exc:
            raise swollen(exc) from exc


def _whole(message: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(message.get("payload"), dict):
        raise malformed("the text of a message")
    return message


def _same(answer: dict[str, Any], wanted: str) -> dict[str, Any]:
    if answer.get("id") != wanted:
        raise malformed("what was asked for")
    return answer
