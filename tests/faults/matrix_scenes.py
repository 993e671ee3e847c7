"""Short stories in which the product makes each of its HTTP requests in earnest.

A scene is prepared without faults, up to the moment before its people act; then they act, and what the product does
from there on is what the matrix strikes. ``given`` are faults that belong to the scene itself: by an answer that was
lost the product begins to look for what it wrote, which is how its lookups come to be called.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlmodel import update
from werkzeug.wrappers import Request, Response

from bridge.config import Route
from bridge.errors import BridgeError
from bridge.sandbox.core import Dropped, Fault
from bridge.store.tables import Mailbox
from bridge.sync import orders
from bridge.sync.adopt_order import adopt

from support.stories import ADA, BEN, CY, ENG, Story
from support.thread_t3 import PDF

PRIVATE = replace(ENG, visibility="author")
NEWS = Route(name="news", label="Confluence/News", space="ENG", publish_as="blogpost")
BELOW = replace(ENG, parent="Mail archive")
PLAN = ("plan.pdf", "application/pdf", PDF)
BIG = ("big.bin", "application/octet-stream", bytes(range(256)) * 64)

Act = Callable[[Story], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """One story.

    ``given`` are rules in force from the act on, ``beside`` faults that no rule describes, made anew for each run.
    ``insists`` is what a person does themselves and tries again until it works; it gives the sentence that they read
    where it did not, '' where it did.
    """

    name: str
    routes: tuple[Route, ...]
    prepare: Act
    act: Act
    given: tuple[str, ...] = ()
    beside: Callable[[Story], Fault] | None = None
    insists: Callable[[Story], str] | None = None


class Edited:
    """Lets a person edit the page right after the product published it, and cuts the answer off."""

    def __init__(self, company: Story, operation: str) -> None:
        self._company = company
        self._operation = operation
        self._done = False

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Let it be carried out."""
        return None

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Edit, once."""
        if operation != self._operation or self._done or response.status_code != 200:
            return response
        self._done = True
        page_id = request.path.rpartition("/")[2]
        page = self._company.wiki.wiki.content[page_id]
        self._company.wiki.edit_page(BEN, page_id, body=f"{page.body}<p>Ben was here.</p>")
        raise Dropped


class Unlabelled:
    """Leaves the labels out of the history's records of new mail, as Gmail may."""

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Let it be carried out."""
        return None

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Take them out."""
        if operation != "gmail.users.history.list" or response.status_code != 200:
            return response
        answer = json.loads(response.get_data())
        for record in answer.get("history", ()):
            for added in (*record.get("messagesAdded", ()), *({"message": one} for one in record.get("messages", ()))):
                added["message"].pop("labelIds", None)
        response.set_data(json.dumps(answer))
        return response


def _connected(company: Story) -> None:
    company.connect(ADA)


def _labelled(company: Story, label: str = "Confluence/ENG") -> None:
    first = company.send(ADA, BEN, "Release plan", "The plan is below.\n", files=[PLAN])
    company.reply(BEN, ADA, first, "Fine with me.\n")
    company.label(ADA, first[ADA][1], label)


def _looked_at(company: Story, passes: int = 2) -> None:
    """Let the product look at every mailbox, due or not, some times."""
    for _ in range(passes):
        make_due(company)
        company.passes(1)


def make_due(company: Story) -> None:
    """Make every mailbox due, as if its time had just come."""
    with company.company.oauth.store.write() as session:
        session.exec(update(Mailbox).values(due_at=company.clock.now()))


def _published(company: Story) -> None:
    _connected(company)
    _labelled(company)
    _looked_at(company)


def _answered(company: Story) -> None:
    """Have Ben answer the newest mail, with a file."""
    box = company.gmail.mailbox(BEN).messages
    last = max(box.values(), key=lambda message: (message.internal_date, message.id))
    company.reply(BEN, ADA, {BEN: (last.id, last.thread_id)}, "One more thing.\n", files=[BIG])


def _news(company: Story) -> None:
    _labelled(company, "Confluence/News")


def _secret(company: Story) -> None:
    first = company.send(ADA, BEN, "Secret plan", files=[PLAN])
    company.label(ADA, first[ADA][1])


def _with_a_page(company: Story) -> None:
    page = company.wiki.create_page(CY, "ENG", "Decisions", "<p>Ours.</p>")
    company.change(routes=(replace(ENG, publish_as="comment", page=page.id, page_labels=()),))
    _connected(company)


def _commented(company: Story) -> None:
    _with_a_page(company)
    _labelled(company)
    _looked_at(company)


def _with_a_parent(company: Story) -> None:
    company.wiki.create_page(CY, "ENG", "Mail archive")
    _connected(company)


def _days_later(company: Story) -> None:
    company.wait(5 * 24 * 3600)
    _answered(company)


def _cursor_gone(company: Story) -> None:
    company.wait(2 * 3600)
    _answered(company)
    other = company.send(BEN, ADA, "Another thread")
    company.label(ADA, other[ADA][1])
    company.gmail.mailbox(ADA).forget_history()


def _trashed(company: Story) -> None:
    _published(company)
    company.wiki.trash_page(company.wiki.pages[0].id)
    _answered(company)
    _looked_at(company)


def _comment_page_trashed(company: Story) -> None:
    _commented(company)
    company.wiki.trash_page(company.wiki.pages[0].id)
    _answered(company)
    _looked_at(company)


def _restored(company: Story) -> None:
    page = next(one for one in company.wiki.wiki.content.values() if one.status == "trashed")
    company.wiki.restore_page(page.id)


def _filtered(company: Story) -> None:
    _connected(company)
    company.gmail.create_label(ADA, "Confluence/ENG")
    company.gmail.add_filter(ADA, "minutes", "Confluence/ENG")


def _filtered_mail(company: Story) -> None:
    company.send(BEN, ADA, "The minutes")


def _mail_of_cy(company: Story) -> None:
    _connected(company)
    sent = company.send(CY, BEN, "Cy's plan")
    company.label(CY, sent[CY][1])


def _asked(company: Story) -> None:
    company.wait(60)


def _cy_connects(company: Story) -> str:
    try:
        company.company.connect(CY, backlog="publish")
    except BridgeError as error:
        return str(error)
    for question in company.held():
        company.answer(question, "publish")
    return ""


def _database_lost(company: Story, label: str = "Confluence/ENG") -> None:
    """Lose the database and the file beside it after a thread was published; Ada connects, and writing is paused."""
    _connected(company)
    _labelled(company, label)
    _looked_at(company)
    company.close()
    for file in company.folder.glob("mailbridge.*"):
        file.unlink()
    company.install()
    with company.company.oauth.store.write() as session:
        everything = orders.scope_of(session, company.settings, everything=True, route="", address="")
        orders.pause(session, everything, company.clock.now(), who="root")
    company.company.connect(ADA, backlog="publish")


def _post_database_lost(company: Story) -> None:
    _database_lost(company, "Confluence/News")


def _adopts(company: Story) -> str:
    try:
        found = adopt(company.bridge, lambda place, person: None, who="root")
    except BridgeError as error:
        return str(error)
    if found.unread:
        return f"Not all could be read: {found.unread}"
    with company.company.oauth.store.write() as session:
        everything = orders.scope_of(session, company.settings, everything=True, route="", address="")
        orders.resume(session, everything, company.clock.now(), who="root")
    return ""


_LOST = ("createAttachment", "addLabelsToContent", "createFooterComment")

SCENES: tuple[Scene, ...] = (
    Scene("page", (ENG,), _connected, _labelled),
    Scene("reply", (ENG,), _published, _answered),
    Scene("private", (PRIVATE,), _connected, _secret, ("no-private-200 createPage",)),
    Scene("post", (NEWS,), _connected, _news),
    Scene("comment", (ENG,), _with_a_page, _labelled),
    Scene("parent", (BELOW,), _with_a_parent, _secret),
    Scene("days later", (ENG,), _published, _days_later),
    Scene("cursor gone", (ENG,), _published, _cursor_gone),
    Scene("no labels said", (ENG,), _filtered, _filtered_mail, beside=lambda company: Unlabelled()),
    Scene("file ids end", (ENG,), _connected, _secret, ("400 gmail.users.messages.attachments.get",)),
    Scene("connect", (ENG,), _mail_of_cy, _asked, insists=_cy_connects),
    Scene(
        "page, answers lost",
        (ENG,),
        _connected,
        _labelled,
        ("reset-after updatePage", "reset-after createPageProperty", *(f"reset-after {name}" for name in _LOST)),
    ),
    Scene(
        "page, edited",
        (ENG,),
        _connected,
        _secret,
        beside=lambda company: Edited(company, "updatePage"),
    ),
    Scene(
        "post, answers lost",
        (NEWS,),
        _connected,
        _news,
        (*(f"reset-after {name}" for name in _LOST), "reset-after createBlogpostProperty"),
        beside=lambda company: Edited(company, "updateBlogPost"),
    ),
    Scene(
        "reply, answers lost",
        (ENG,),
        _published,
        _answered,
        ("reset-after createFooterComment", "503-half createAttachment"),
    ),
    Scene("comment, answers lost", (ENG,), _commented, _answered, ("reset-after createFooterComment",)),
    Scene("page, refused", (ENG,), _published, _answered, ("404-bare createFooterComment",)),
    Scene("page, restored", (ENG,), _trashed, _restored),
    Scene("comment, restored", (ENG,), _comment_page_trashed, _restored),
    Scene("database lost", (ENG,), _database_lost, _asked, insists=_adopts),
    Scene("database lost, post", (NEWS,), _post_database_lost, _asked, insists=_adopts),
)
"""In the order in which a person would tell them."""

SCENE = {scene.name: scene for scene in SCENES}
