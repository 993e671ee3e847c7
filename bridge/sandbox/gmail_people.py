"""What people do in Gmail, as methods: mail arrives, is sent, labelled, thrown away."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import formatdate, getaddresses

from bridge.sandbox.core import Core
from bridge.sandbox.gmail_labels import Label
from bridge.sandbox.gmail_payload import MailPart, parse_mail, snippet
from bridge.sandbox.gmail_state import Json, Mailbox, Person, Settings, StoredMessage

_REPLY = re.compile(r"^\s*(?:(?:re|fw|fwd|aw|wg|sv|vs|tr|rv|antw)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_MSGID = re.compile(r"<[^<>\s]+>")
_THREAD_MAX = 100
_PRIVATE_DOMAINS = frozenset({"gmail.com", "googlemail.com"})


class SandboxGmail:
    """All mailboxes, by address; times come from the core's clock.

    Labels may be given by id or by name everywhere. Every method holds the core's lock, so that a page, a test and a
    server's threads may call at once.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.settings = Settings()
        self.mailboxes: dict[str, Mailbox] = {}
        self._last_id = 0

    def add_person(self, address: str, name: str, *, hd: str | None = None) -> Person:
        """Give somebody an account and an empty mailbox; ``hd`` is the Workspace domain, by default the address's."""
        address = address.lower()
        domain = address.partition("@")[2]
        digits = int(hashlib.sha256(address.encode()).hexdigest(), 16) % 10**20
        default = "" if domain in _PRIVATE_DOMAINS else domain
        person = Person(address, name, sub=f"1{digits:020d}", hd=default if hd is None else hd)
        with self.core.lock:
            self.mailboxes[address] = Mailbox(person, self.core, self.settings)
        return person

    @property
    def people(self) -> list[Person]:
        """Everybody with an account, in the order in which they came."""
        return [mailbox.person for mailbox in self.mailboxes.values()]

    def mailbox(self, address: str) -> Mailbox:
        """Return somebody's mailbox.

        Raises:
            KeyError: nobody of that address was added.
        """
        return self.mailboxes[address.lower()]

    def deliver(
        self,
        address: str,
        eml: bytes,
        labels: Sequence[str] = ("INBOX", "UNREAD"),
        thread_id: str | None = None,
        at: datetime | None = None,
    ) -> tuple[str, str]:
        """Let a mail arrive, as its bytes stand; return its message id and its thread id.

        Without ``thread_id`` it joins the thread of the mail that it answers if the subject is the same. Labels of
        filters come with the arrival, so history shows them only in the added message.
        """
        with self.core.lock:
            mailbox = self.mailbox(address)
            mime = parse_mail(eml)
            ids = [mailbox.labels.id_of(label) for label in labels]
            if "SENT" not in ids and "DRAFT" not in ids:
                ids += [label for wanted in mailbox.filters if (label := wanted(mime)) and label in mailbox.labels]
            moment = at or self.core.clock.now()
            message_id = self._new_id()
            thread = thread_id or self._thread_of(mailbox, mime) or message_id
            message = StoredMessage(
                id=message_id,
                thread_id=thread,
                label_ids=list(dict.fromkeys(ids)),
                internal_date=round(moment.timestamp() * 1000),
                raw=eml,
                mime=mime,
                snippet=snippet(mime),
            )
            mailbox.insert(message)
            return message_id, thread

    def deliver_payload(self, address: str, message: Json, attachments: dict[str, Json] | None = None) -> None:
        """Put an API message object into a mailbox; it is served as it stands, but for labels that change later.

        ``attachments`` maps its attachment ids to what attachments.get answers. A label id that the mailbox does not
        know becomes a label of that id.
        """
        with self.core.lock:
            mailbox = self.mailbox(address)
            labels = list(message.get("labelIds", []))
            for label_id in labels:
                if label_id not in mailbox.labels:
                    mailbox.labels.create(label_id, label_id=label_id)
            moment = round(self.core.clock.now().timestamp() * 1000)
            mailbox.insert(
                StoredMessage(
                    id=message["id"],
                    thread_id=message["threadId"],
                    label_ids=labels,
                    internal_date=int(message.get("internalDate", moment)),
                    snippet=message.get("snippet", ""),
                    given=message,
                    fixed_files=dict(attachments or {}),
                )
            )

    def send(self, sender: str, eml: bytes, at: datetime | None = None) -> dict[str, tuple[str, str]]:
        """Send a mail; return message id and thread id by the address of each mailbox that got a copy.

        The sender's copy is under SENT. Each recipient with a mailbox here gets one of its own, with the headers that
        Gmail puts on top and without Bcc. A missing Message-ID or Date is supplied.
        """
        with self.core.lock:
            sender = sender.lower()
            eml = self._complete(eml, sender)
            mime = parse_mail(eml)
            found = getaddresses([value for name in ("To", "Cc", "Bcc") for value in _all(mime, name)])
            recipients = dict.fromkeys(address.lower() for _, address in found)
            own = ("SENT", "INBOX", "UNREAD") if sender in recipients else ("SENT",)
            copies = {sender: self.deliver(sender, eml, labels=own, at=at)}
            for address in recipients:
                if address in self.mailboxes and address != sender:
                    copies[address] = self.deliver(address, self._received(eml, sender, address), at=at)
            return copies

    def add_filter(self, address: str, contains: str, label: str) -> None:
        """Label arriving mail whose subject or sender contains a text."""
        mailbox = self.mailbox(address)
        label_id = mailbox.labels.id_of(label)

        def wanted(mime: MailPart) -> str | None:
            seen = f"{mime.header('Subject')}\n{mime.header('From')}".casefold()
            return label_id if contains.casefold() in seen else None

        mailbox.filters.append(wanted)

    def create_label(self, address: str, name: str, *, label_id: str = "") -> Label:
        """Make a label."""
        with self.core.lock:
            return self.mailbox(address).labels.create(name, label_id=label_id)

    def rename_label(self, address: str, label: str, name: str) -> None:
        """Rename a label; its id stays."""
        with self.core.lock:
            labels = self.mailbox(address).labels
            labels.rename(labels.id_of(label), name)

    def delete_label(self, address: str, label: str) -> None:
        """Delete a label; it leaves every message."""
        with self.core.lock:
            mailbox = self.mailbox(address)
            mailbox.delete_label(mailbox.labels.id_of(label))

    def label_thread(self, address: str, thread_id: str, label: str) -> None:
        """Label every message that the thread has now."""
        self._relabel(address, self._messages(address, thread_id), [label], ())

    def unlabel_thread(self, address: str, thread_id: str, label: str) -> None:
        """Take a label off every message of the thread."""
        self._relabel(address, self._messages(address, thread_id), (), [label])

    def label_message(self, address: str, message_id: str, label: str) -> None:
        """Label one message alone."""
        self._relabel(address, [message_id], [label], ())

    def unlabel_message(self, address: str, message_id: str, label: str) -> None:
        """Take a label off one message alone."""
        self._relabel(address, [message_id], (), [label])

    def trash(self, address: str, message_id: str) -> None:
        """Move a message to Trash; its own labels stay."""
        self._relabel(address, [message_id], ["TRASH"], ["INBOX"])

    def untrash(self, address: str, message_id: str) -> None:
        """Take a message out of Trash; it does not come back to the inbox."""
        self._relabel(address, [message_id], (), ["TRASH"])

    def spam(self, address: str, message_id: str) -> None:
        """Report a message as spam."""
        self._relabel(address, [message_id], ["SPAM"], ["INBOX"])

    def delete_forever(self, address: str, message_id: str) -> None:
        """Delete a message for good."""
        with self.core.lock:
            self.mailbox(address).delete([message_id])

    def save_draft(self, address: str, eml: bytes, thread_id: str | None = None) -> str:
        """Begin a draft; return its message id."""
        return self.deliver(address, eml, labels=("DRAFT",), thread_id=thread_id)[0]

    def autosave_draft(self, address: str, message_id: str, eml: bytes | None = None) -> str:
        """Save a draft again, as Gmail does every few seconds: the old message goes, a new id comes; return it."""
        with self.core.lock:
            old = self.mailbox(address).messages[message_id]
            new_id = self.deliver(address, eml or old.raw, labels=("DRAFT",), thread_id=old.thread_id)[0]
            self.mailbox(address).delete([message_id])
            return new_id

    def send_draft(self, address: str, message_id: str) -> dict[str, tuple[str, str]]:
        """Send a draft: its message is deleted and a new one with SENT comes; return what ``send`` does."""
        with self.core.lock:
            eml = self.mailbox(address).messages[message_id].raw
            copies = self.send(address, eml)
            self.mailbox(address).delete([message_id])
            return copies

    def _relabel(self, address: str, message_ids: Iterable[str], add: Iterable[str], remove: Iterable[str]) -> None:
        with self.core.lock:
            mailbox = self.mailbox(address)
            ids = mailbox.labels.id_of
            mailbox.modify(message_ids, [ids(label) for label in add], [ids(label) for label in remove])

    def _messages(self, address: str, thread_id: str) -> list[str]:
        return list(self.mailbox(address).by_thread[thread_id])

    def _new_id(self) -> str:
        moment = int(self.core.clock.now().timestamp() * 1000)
        self._last_id = max(self._last_id + 1, (moment << 20) | self.core.random.getrandbits(20))
        return f"{self._last_id:016x}"

    def _thread_of(self, mailbox: Mailbox, mime: MailPart) -> str | None:
        named = _MSGID.findall(" ".join((mime.header("References"), mime.header("In-Reply-To"))))
        subject = _plain_subject(mime)
        for rfc822_id in reversed(named):
            for message_id in reversed(mailbox.by_rfc822_id.get(rfc822_id, [])):
                message = mailbox.messages[message_id]
                same = _plain_subject(message.mime) == subject
                if same and len(mailbox.by_thread[message.thread_id]) < _THREAD_MAX:
                    return message.thread_id
        return None

    def _complete(self, eml: bytes, sender: str) -> bytes:
        mime, extra = parse_mail(eml), b""
        if not mime.header("Message-ID"):
            token = base64.urlsafe_b64encode(self.core.random.randbytes(30)).decode()
            extra += f"Message-ID: <CA{token}@mail.{sender.partition('@')[2]}>\r\n".encode()
        if not mime.header("Date"):
            extra += f"Date: {formatdate(self.core.clock.now().timestamp())}\r\n".encode()
        return extra + eml

    def _received(self, eml: bytes, sender: str, recipient: str) -> bytes:
        head, gap, body = re.sub(rb"\r?\n", b"\r\n", eml).partition(b"\r\n\r\n")
        head = re.sub(rb"(?im)^bcc:.*(?:\r\n[ \t].*)*(?:\r\n|\Z)", b"", head)
        domain = sender.partition("@")[2]
        stamp = formatdate(self.core.clock.now().timestamp())
        on_top = (
            f"Delivered-To: {recipient}\r\n"
            f"Received: by mx.example.com with SMTP id {self.core.random.getrandbits(48):012x};\r\n        {stamp}\r\n"
            f"Authentication-Results: mx.google.com;\r\n       dkim=pass header.i=@{domain};\r\n"
            f"       spf=pass smtp.mailfrom={sender};\r\n       dmarc=pass (p=NONE) header.from={domain}\r\n"
        )
        return on_top.encode() + head + gap + body


def _plain_subject(mime: MailPart) -> str:
    return " ".join(_REPLY.sub("", mime.header("Subject")).split()).casefold()


def _all(mime: MailPart, name: str) -> list[str]:
    return [value for key, value in mime.headers if key.casefold() == name.casefold()]
