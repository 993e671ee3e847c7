"""Thread T3 of the acceptance page: a table, a picture and a PDF; then two replies that quote what they answer."""

from __future__ import annotations

import base64
import hashlib

from support.stories import ADA, BEN, Story

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SUBJECT = "Release plan"
HTML = (
    "<p>The plan for April is below.</p>"
    "<table border=1><tr><th>Step</th><th>Day</th></tr><tr><td>Freeze</td><td>Monday</td></tr></table>"
    '<p>Before the picture.</p><p><img src="cid:timeline@example.com" alt="Timeline" width="480"></p>'
    '<p>After the picture.</p><p><img src="https://tracker.example.net/pixel.gif" width="1" height="1"></p>'
)

Sent = dict[str, tuple[str, str]]


def send_t3(company: Story, subject: str = SUBJECT) -> tuple[Sent, Sent, Sent]:
    """Let Ada write to Ben, Ben answer and Ada answer him; return the three mails as ``Story.send`` does."""
    first = company.send(
        ADA,
        BEN,
        subject,
        "The plan for April is below.\n",
        html=HTML,
        images=[("timeline@example.com", "timeline.png", PNG)],
        files=[("plan.pdf", "application/pdf", PDF)],
    )
    quoted = "On Mon, 20 Apr 2026 at 09:00, Ada Lovelace wrote:\n> The plan for April is below.\n"
    second = company.reply(BEN, ADA, first, f"Monday is fine with me.\n\n{quoted}")
    nested = "\n".join(f"> {line}" for line in f"Monday is fine with me.\n\n{quoted}".splitlines())
    third = company.reply(
        ADA, BEN, second, f"Then Monday it is.\n\nOn Mon, 20 Apr 2026 at 09:01, Ben Hart wrote:\n{nested}\n"
    )
    return first, second, third


def assert_expected_t3(company: Story, comments: int = 2, author: str = ADA) -> None:
    """Assert that T3 stands as it should: one page, its comments in order, both files, the route's labels."""
    wiki = company.wiki
    (page,) = wiki.pages
    assert (page.title, page.status, page.version.number) == (SUBJECT, "current", 1)
    assert page.author == wiki.person(author).account_id
    assert sorted(page.labels) == ["mail"]
    assert page.body.count("<table") == 1
    assert page.body.count("<ac:image") == 1
    texts = [comment.body for comment in wiki.comments]
    assert len(texts) == comments
    assert "Monday is fine with me." in texts[0]
    assert "Then Monday it is." in texts[1]
    assert "Monday is fine with me." not in texts[1], "quoted text that stands above is not repeated"
    assert "The plan for April is below" not in texts[0] + texts[1]
    files = {file.name: (file.sha256, len(file.versions)) for file in wiki.wiki.files_on(page.id)}
    assert files == {
        "timeline.png": (hashlib.sha256(PNG).hexdigest(), 1),
        "plan.pdf": (hashlib.sha256(PDF).hexdigest(), 1),
    }
    assert wiki.drafts() == []
