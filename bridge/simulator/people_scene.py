"""What a company's people know: who they are, which mails there are and where each copy of one lies.

Every mail has a word of its own in its text, and every first mail one in its subject; by these the model finds it
wherever it stands. Nothing else in the company contains such a word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from bridge.config import Route, Settings
from bridge.errors import Provider
from bridge.oauth.backlog import BacklogChoice
from bridge.sandbox.confluence_state import Page
from bridge.sandbox.world import World
from bridge.simulator.acts import Act
from bridge.sync.held import Held

DOMAIN = "example.com"
CAST = ("Ada Lovelace", "Ben Hart", "Cy Moreno", "Dee Okafor", "Eli Brandt", "Fay Lindgren", "Gus Pereira", "Hal Novak")
"""Who works there; a larger company hires people whose names are numbers."""

OUTSIDE = ("petra@acme.example", "tom@acme.example")
INSIDERS = 2
"""How many people may use the closed space."""

FILE_NAMES = ("plan.txt", "notes.txt", "budget.csv")
"""What files are called, in mails and by those who upload some by hand."""

_LETTERS = "abcdefghijkmnpqrstuvwxyz"


class Desk(Protocol):
    """What people do with the product itself; ``desk.Desk`` fits."""

    @property
    def settings(self) -> Settings:
        """The configuration as it stands in the file."""
        ...

    def edit(self, *, routes: tuple[Route, ...]) -> None:
        """Edit the configuration file."""
        ...

    def connect(self, address: str, provider: Provider) -> bool:
        """Connect one of a person's accounts; return whether it ended well."""
        ...

    def answer_backlog(self, address: str, choice: BacklogChoice) -> bool:
        """Answer what is to become of mail that was labelled before; return whether it was taken."""
        ...

    def held(self) -> list[Held]:
        """Return every open question."""
        ...

    def answer(self, item_id: str, choice: str) -> bool:
        """Answer an open question; return whether it was still open."""
        ...

    def publish_anew(self, address: str, thread_id: str) -> bool:
        """Ask for a thread anew whose page was taken away; return whether there was anything to ask about."""
        ...

    def pause(self, address: str, paused: bool) -> None:
        """Pause a person, or let them go on."""
        ...

    def ended(self) -> list[tuple[str, Provider]]:
        """Return whose connections need their person, and at which provider."""
        ...

    def look_now(self, address: str) -> None:
        """Make a person's mailbox due at once."""
        ...


@dataclass(frozen=True, slots=True)
class Copy:
    """Where a mail lies in one mailbox."""

    message_id: str
    thread_id: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. ``rfc822`` is its Message-ID without brackets; ``copies`` says by mailbox where it lies."""

    name: str
    conversation: str
    rfc822: str
    word: str
    sender: str
    recipients: tuple[str, ...]
    at: datetime
    files: tuple[str, ...]
    copies: dict[str, Copy]

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody in its headers, its sender first."""
        return (self.sender, *self.recipients)


@dataclass
class Conversation:
    """A mail and the replies to it, oldest first."""

    name: str
    subject: str
    mails: list[Mail] = field(default_factory=list)

    def in_mailbox(self, person: str) -> list[Mail]:
        """Return the mails that lie (or lay) in somebody's mailbox."""
        return [mail for mail in self.mails if person in mail.copies]


@dataclass
class Scene:
    """The company as its people see it.

    Acts are written down by ``done``; ``pending`` are what they mean to do soon. ``lost`` says since when whose
    connection to which provider is gone as they know.
    """

    world: World
    random: Random
    desk: Desk
    people: tuple[str, ...]
    history: list[Act] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    pending: list[tuple[datetime, Callable[[Scene], Act | None]]] = field(default_factory=list)
    lost: dict[tuple[str, Provider], datetime] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    removed_routes: list[Route] = field(default_factory=list)
    connected_at: dict[str, datetime] = field(default_factory=dict)
    mails: int = 0

    @property
    def now(self) -> datetime:
        """The instant, by the services' clock."""
        return self.world.core.clock.now()

    def done(self, who: str, kind: str, conversation: str = "", **details: str) -> Act:
        """Write an act down and return it."""
        act = Act(len(self.history) + 1, self.now, who, kind, conversation, details)
        self.history.append(act)
        return act

    def soon(self, seconds: float, act: Callable[[Scene], Act | None]) -> None:
        """Mean to do something in so many seconds."""
        self.pending.append((self.now + timedelta(seconds=seconds), act))

    def new_word(self, first: str) -> str:
        """Return a word that stands nowhere yet."""
        self.mails += 1
        return f"{first}{self.mails:04d}" + "".join(self.random.choices(_LETTERS, k=5))

    def person(self) -> str:
        """Return somebody."""
        return self.random.choice(self.people)

    def conversation(self) -> Conversation | None:
        """Return a conversation, rather a late one; None before the first."""
        if not self.conversations:
            return None
        if self.random.random() < 0.8:
            return self.random.choice(self.conversations[-8:])
        return self.random.choice(self.conversations)

    def of_mail(self, rfc822: str) -> Mail | None:
        """Return the mail of a Message-ID."""
        for conversation in self.conversations:
            for mail in conversation.mails:
                if mail.rfc822 == rfc822:
                    return mail
        return None

    def thread_of(self, conversation: Conversation, person: str) -> str:
        """Return the thread in which somebody has the latest of a conversation, '' where they have none of it."""
        gmail = self.world.google.gmail.mailbox(person)
        for mail in reversed(conversation.in_mailbox(person)):
            if mail.copies[person].message_id in gmail.messages:
                return mail.copies[person].thread_id
        return ""


def found(world: World, count: int) -> tuple[str, ...]:
    """Hire people, make their spaces and the page that mail goes on as comments; return the people's addresses."""
    people = []
    for number in range(count):
        name = CAST[number] if number < len(CAST) else f"Number {number + 1}"
        address = f"{name.split()[0].lower() if number < len(CAST) else f'n{number + 1}'}@{DOMAIN}"
        world.hire(address, name)
        people.append(address)
    world.atlassian.add_space("ENG", "Engineering")
    world.atlassian.add_space("OPS", "Operations")
    world.atlassian.add_space("HR", "People", open_to_all=False)
    for address in people[:INSIDERS]:
        world.atlassian.allow("HR", address)
    return tuple(people)


def take_habits(world: World, random: Random) -> None:
    """Let the services have the habits that they may have, by the seed: old answers, lists that lag, what is not shown.

    Each is one that the official documents allow, or that people have seen.
    """
    mail, wiki = world.google.gmail.settings, world.atlassian.switches
    mail.stale_reads = random.choice((0, 0, 1))
    mail.record_labels = random.choice(("change", "listing"))
    mail.empty_history_pages = random.choice((0, 0, 0, 1))
    wiki.comment_lag = random.choice((0, 0, 1, 2))
    wiki.trashed_titles_taken = random.random() < 0.3
    wiki.draft_titles_checked = random.random() < 0.3
    wiki.draft_needs_get_draft = random.random() < 0.5
    wiki.draft_files_listed = random.random() < 0.6
    wiki.revoked_answer = random.choice(("not-found", "gateway"))
    wiki.leeway_gives_same_token = random.random() < 0.3
    wiki.stale_comment_status = random.choice((400, 409))


def found_pages(world: World, people: tuple[str, ...]) -> tuple[Page, Page]:
    """Have somebody make the parent of private pages, and the page that mail goes on as comments; return both."""
    private = world.atlassian.create_page(people[0], "ENG", "Private mail", "<p>Below this page.</p>")
    desk = world.atlassian.create_page(people[0], "OPS", "Front desk", "<p>Mail comes in below.</p>")
    return private, desk


def first_routes(private: Page, desk: Page) -> tuple[Route, ...]:
    """Return the routes that the company begins with; ``eng`` and ``also`` have one destination."""
    return (
        Route(name="eng", label="Confluence/ENG", space="ENG"),
        Route(name="also", label="Confluence/Also", space="ENG", page_labels=("mail", "also")),
        Route(name="posts", label="Confluence/Posts", space="OPS", publish_as="blogpost"),
        Route(name="desk", label="Confluence/Desk", space="OPS", publish_as="comment", page=desk.id, page_labels=()),
        Route(name="own", label="Confluence/Own", space="ENG", parent=private.id, visibility="author"),
        Route(name="hr", label="Confluence/HR", space="HR"),
    )
