"""The shared folder of real mail, read in place: every file, and what the hardest of them must show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.mail import eml
from bridge.mail.quotes import Earlier, split
from bridge.mail.text import plain_text
from bridge.model import Message

from support.shared import shared_files

MAILS = shared_files("mails/**/*.eml")


def load(shared: Path, name: str) -> Message:
    return eml.message((shared / "mails" / f"{name}.eml").read_bytes())


def words(message: Message) -> str:
    texts = (plain_text(body.text) if body.kind == "html" else body.text for body in message.bodies)
    return " ".join(" ".join(texts).split())


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_mail_is_read(path: Path) -> None:
    message = eml.message(path.read_bytes())
    names = [message.subject, message.sender.name, message.sender.address, *(file.name for file in message.files)]
    for name in names:
        assert not set(name) & set("\0\r\n\u2028\u2029")
    for text in [*names, *(body.text for body in message.bodies)]:
        assert "\0" not in text
        text.encode("utf-8")
    assert all(file.name and file.data is not None and file.size == len(file.data) for file in message.files)
    part_ids = [file.part_id for file in message.files]
    assert len(set(part_ids)) == len(part_ids)
    assert {body.part_id for body in message.bodies if body.kind == "file"} <= set(part_ids)
    assert message == eml.message(path.read_bytes())


def test_the_subjects_and_senders_that_another_program_read(shared: Path) -> None:
    rows = json.loads((shared / "mails" / "expected" / "zammad.json").read_text("utf-8"))
    differ = []
    for row in rows:
        message = eml.message((shared / "mails" / row["file"]).read_bytes())
        if message.subject.split() != (row["expected"]["subject"] or "").split():
            differ.append(row["file"])
    assert differ == ["zammad/mail018.eml"]  # there the other program left UTF-7 as it was
    assert len(rows) == 80


def test_the_text_that_another_library_read(shared: Path) -> None:
    rows = json.loads((shared / "mails" / "expected" / "libetpan.json").read_text("utf-8"))
    for row in rows:
        message = eml.message((shared / "mails" / row["file"]).read_bytes())
        if "6144" in row["file"]:  # the expected value is garbled
            continue
        assert message.subject.removeprefix("Re: ").split() == row["expected"]["subject"].removeprefix("Re: ").split()


SUBJECTS = [
    ("zammad/mail093", "ツール", "ツール EXAMPLE"),
    ("zammad/mail054", "AW: One Net Business", "Smith, Karoline, Example DE"),
    ("zammad/mail018", "Benachrichtung zum Übermittlungsstatus (Fehlgeschlagen)", ""),
    ("zammad/mail031", "內應力產生与注塑工艺条件之间的关系；", None),
    ("libetpan/4850-russian", "Рассылка: Уведомление участникам тендеров", None),
    ("libetpan/1640-no-charset", "[멜론] 이용약관 및 서비스 상품약관 변경 안내", "멜론"),
    ("libetpan/1798-korean", "[주말특가] 일본정품 후끈후끈 핫팩, 손난로 주말특가!", None),
    ("libetpan/1460-no-charset", "[PressNetwork Digest] 2010年12月08日(水) [3件]", None),
    ("php-mime/issue149", "מענה 'אני לא נמצא': Invoice 02722027", None),
    ("libetpan/6144-russian", 'Comment posted on "Что лучше Android или iOS..?!"', None),
    ("patchwork/codec-null", "[net,v2,1/2] net: ieee802154: remove explicit set skb->sk", None),
    ("spamassassin/utf16", "Design and manufacturing", None),
]


@pytest.mark.parametrize(("name", "subject", "sender"), SUBJECTS)
def test_subjects_of_the_hardest(shared: Path, name: str, subject: str, sender: str | None) -> None:
    message = load(shared, name)
    assert message.subject == subject
    assert sender is None or message.sender.name == sender


SHOWN = [
    ("zammad/mail093", "今なら、先着100施設限定で 無料バージョンを導入いただけます。"),
    ("zammad/mail018", "Dies ist eine automatisch erstellte Benachrichtigung über den Zustellstatus."),
    ("zammad/mail031", "▅ 特色"),
    ("libetpan/1460-no-charset", "■ プレスネットワークダイジェスト [2010年12月08日"),
    ("libetpan/2458-encoding", "bugün 18 Mart 2011"),
    ("libetpan/2458-encoding", "inşallah"),
    ("comm-central/wronglyDeclaredShift_JIS", "メールを簡単に。 メッセージの高速全文検索、タブ表示、アーカイブ。"),
    ("discourse/chinese_reply", "您好！ 你今天好吗？"),
    ("libetpan/6144-russian", "MEHANIK8888 has made a comment on Что лучше Android или iOS..?!"),
    ("comm-central/bad-charset", "Matterhörn"),
    ("patchwork/codec-null", "Explicit set skb->sk is needless"),
    ("comm-central/body-utf16", "Hi Magnus, here a better UTF-16 encoded mail."),
    ("zammad/mail062", "Herzliche Grüße aus Oberalteich"),
    (
        "php-mime/issue163",
        "First we have a text block, then we insert an image: Then we have more text -- sent from my phone.",
    ),
    ("rt/notes-uuencoded", "I send you this mail from Lotus Notes"),
    ("alaveteli/tnef-attachment-truncated", "Some introductory text here, before the malformed TNEF attachment."),
    ("postal-mime/mimetorture", "MIME torture test. This message was designed"),
    ("postal-mime/calendar-event", "Test event ⏰"),
    ("discourse/inline_mixed_replies", "And this is *my* reply :+1:"),
    ("sup/zimbra-quote-with-bottom-post", "This is the reply from the Zimbra user."),
    ("alaveteli/lotus-notes-quoting", "Dear Requester, Some text. Yours sincerely FOI Team"),
]


@pytest.mark.parametrize(("name", "text"), SHOWN)
def test_text_of_the_hardest(shared: Path, name: str, text: str) -> None:
    shown = words(load(shared, name))
    assert text in shown
    assert "\ufffd" not in shown
    assert "\ufeff" not in shown


FILES = [
    ("zammad/mail018", ["delivery-status.txt", "Angebot für OTRS-Anpassung [Ticket#113588].eml"]),
    ("php-mime/issue149", ["attach01"]),
    (
        "sup/text-attachments-with-charset",
        ["ascii.txt", "cyrillic.txt", "emoji.txt", "bad.txt", "invalid-charset.txt", "ascii.txt"],
    ),
    (
        "zammad/mail062",
        [
            "image.jpg",
            "image.jpg",
            "page.html",
            "page.html",
            "Video1.MOV",
            "Video2.MOV",
            "Video3.MOV",
            "video.mov",
            "video.mov",
        ],
    ),
    ("tika/testRFC822-mixed-with-pdf-inline", ["tzora-titan-4-hummer-xl-manual.pdf"]),
    ("php-mime/issue163", ["image1.jpeg"]),
    ("flanker/iphone", ["photo.JPG"]),
    ("zammad/mail025", ["rulesets-report.csv"]),
    ("rt/notes-uuencoded", ["Naz_Head.jpg"]),
    ("alaveteli/inline-uuencode", ["ResponseT7363 9.doc"]),
    ("alaveteli/tnef-attachment-truncated", ["winmail.dat"]),
    ("postal-mime/calendar-event", ["invite.ics"]),
    ("rspamd/alt-html-calendar", ["invite.ics"]),
    ("astroid/mime-message-no-content-type", ["Re: [astroid] Keybinding configuration (#21).eml", "signature.asc"]),
]


@pytest.mark.parametrize(("name", "files"), FILES)
def test_files_of_the_hardest(shared: Path, name: str, files: list[str]) -> None:
    assert [file.name for file in load(shared, name).files] == files


def test_places_of_the_hardest(shared: Path) -> None:
    for name in ("php-mime/issue163", "flanker/iphone", "tika/testRFC822-mixed-with-pdf-inline"):
        assert [body.kind == "file" for body in load(shared, name).bodies] == [False, True, False], name
    apple = load(shared, "zammad/mail085")
    assert [body.kind for body in apple.bodies] == ["html", "html"]
    assert plain_text(apple.bodies[0].text) == "123"
    for name in ("raw_message_with_outlook_emoji", "raw_message_with_outlook_emoji_inline"):
        message = load(shared, f"sync-engine/{name}")
        emoji = message.files[0]
        assert (emoji.name, emoji.inline) == ("OutlookEmoji-😊.png", True)
        assert f"cid:{emoji.content_id}" in message.bodies[0].text
    assert all(file.inline for file in load(shared, "zammad/mail062").files[:2])
    assert load(shared, "zammad/mail080").files[0].inline


def test_encoded_data_never_shows(shared: Path) -> None:
    assert "_]C_X" not in words(load(shared, "rt/notes-uuencoded"))
    assert words(load(shared, "zammad/mail025")) == ""
    assert words(load(shared, "sup/text-attachments-with-charset")) == "This is the body."
    inner = words(load(shared, "postal-mime/mimetorture"))
    assert "smiley!" not in inner


def test_threads_show_each_quote_once(shared: Path) -> None:
    """After a thread's first message only lines that are not quoted from an earlier one are left, or are answered."""
    left = cut = own = 0
    for folder in sorted((shared / "mails" / "threads").iterdir()):
        earlier = Earlier()
        for path in sorted(folder.glob("*.eml")):
            message = eml.message(path.read_bytes())
            for body in message.bodies:
                for one in split(body.text, earlier) if body.kind == "text" and earlier else ():
                    count = len(one.text.split())
                    left += count if one.kind == "quote" and not one.stands else 0
                    cut += count if one.kind == "quote" and one.stands else 0
                    own += count if one.kind == "own" else 0
                    if one.kind == "own":
                        assert not [line for line in one.text.split("\n") if line.startswith(">")], path
            earlier = earlier.plus(message)
    assert cut > 8000
    assert own > 14000
    assert left < 0.03 * cut


def test_an_answer_keeps_its_place(shared: Path) -> None:
    folder = shared / "mails" / "threads" / "notmuch-archive"
    first, *others = (eml.message(path.read_bytes()) for path in sorted(folder.glob("*.eml")))
    earlier = Earlier.of([first])
    for message in others:
        segments = split(message.bodies[0].text, earlier)
        assert any(one.kind == "own" and one.text.strip() for one in segments)
        earlier = earlier.plus(message)


def test_own_words_of_other_peoples_samples_survive(shared: Path) -> None:
    rows = json.loads((shared / "mails" / "expected" / "bodies-email_reply_trimmer.json").read_text("utf-8"))
    for row in rows:
        text = (shared / "mails" / row["file"]).read_text("utf-8")
        removed = row["expected"]["removed_text"]
        segments = split(text, Earlier.of_texts([removed] if removed else []))
        seen = " ".join(
            " ".join(one.text for one in segments if one.answered or not one.stands).replace(">", " ").split()
        )
        for line in row["expected"]["new_text"].replace(">", " ").split("\n"):
            if line.strip() and line not in removed:
                assert " ".join(line.split()) in seen, row["file"]
