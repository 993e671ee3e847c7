"""The demo's stage: a sandbox company whose mailboxes hold the sample threads, with its two pages to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge.demo import samples
from bridge.demo.samples import SampleMail, SampleThread
from bridge.sandbox.pages_mail import mail_page
from bridge.sandbox.pages_wiki import wiki_page
from bridge.sandbox.world import World

SPACES = {"ENG": "Engineering", "HR": "People"}
_HR_PEOPLE = ("ada@example.com",)


@dataclass
class Stage:
    """The company. ``thread_ids`` has the Gmail thread id by sample and person."""

    world: World
    thread_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    _arrived: dict[str, tuple[SampleMail, ...]] = field(default_factory=dict)

    def fill(self) -> None:
        """Hire everybody, open the spaces, make the labels and deliver the sample mail."""
        for address, name in samples.PEOPLE.items():
            self.world.hire(address, name)
            for label in samples.labels():
                self.world.google.gmail.create_label(address, label)
        for key, name in SPACES.items():
            self.world.atlassian.add_space(key, name, open_to_all=key != "HR")
        for address in _HR_PEOPLE:
            self.world.atlassian.allow("HR", address)
        for thread in samples.threads():
            for mail in thread.messages:
                self._deliver(thread, mail, mail.date, unread=False)

    def mount_pages(self, printed: Callable[[], Sequence[str]]) -> None:
        """Show the mailbox page and the wiki page; ``printed`` gives the lines that the terminal showed lately."""
        world = self.world
        world.app.mount(
            "/mail",
            mail_page(
                world.core,
                world.google.gmail,
                world.atlassian.wiki,
                labels=samples.labels(),
                reply=self.arrive,
                printed=printed,
            ),
        )
        world.app.mount("/wiki", wiki_page(world.core, world.atlassian.wiki))

    def label_all(self) -> int:
        """Put its label on every sample thread, as the people who would; return how many threads have one now."""
        for thread in samples.threads():
            for person in thread.labelled_by:
                thread_id = self.thread_ids[(thread.slug, person)]
                self.world.google.gmail.label_thread(person, thread_id, thread.label)
        return len(samples.threads())

    def arrive(self, person: str, thread_id: str) -> None:
        """Let the next reply of a thread arrive in the mailboxes of everybody who gets it."""
        thread = self._sample_of(person, thread_id)
        if thread is None:
            return
        with self.world.core.lock:
            so_far, now = self._arrived.get(thread.slug, ()), self.world.core.clock.now()
            mail = samples.arriving(thread, so_far, now)
            self._arrived[thread.slug] = (*so_far, mail)
            self._deliver(thread, mail, now, unread=True)

    def subject(self, person: str, thread_id: str) -> str:
        """Return the subject of a person's thread, '' where it is none of the samples."""
        thread = self._sample_of(person, thread_id)
        return thread.subject if thread is not None else ""

    def _sample_of(self, person: str, thread_id: str) -> SampleThread | None:
        return next(
            (thread for thread in samples.threads() if self.thread_ids.get((thread.slug, person)) == thread_id),
            None,
        )

    def _deliver(self, thread: SampleThread, mail: SampleMail, at: datetime, *, unread: bool) -> None:
        for person in mail.mailboxes:
            labels = ["SENT"] if person == mail.sender else ["INBOX", *(["UNREAD"] if unread else [])]
            _, self.thread_ids[(thread.slug, person)] = self.world.google.gmail.deliver(
                person, mail.eml, labels=labels, thread_id=self.thread_ids.get((thread.slug, person)), at=at
            )
