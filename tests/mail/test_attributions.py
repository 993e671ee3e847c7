from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail.attributions import attribution, header_block, is_attribution, starts

LINES = [
    ("On Thu, 8 Jan 2026 at 10:02, Mara Lind <mara@example.com> wrote:", "Mara Lind", "Thu, 8 Jan 2026 at 10:02"),
    ("On 9 Jan 2026, at 14:47, Tomas Ek wrote:", "Tomas Ek", "9 Jan 2026, at 14:47"),
    ("On Thu, 8 Jan 2026 at 10:02, Mara Lind\n<mara@example.com> wrote:", "Mara Lind", "Thu, 8 Jan 2026 at 10:02"),
    (
        "On Fri, 25 Jun 2010 13:55:49 +0100\nTomas Ek <t@example.com> wrote:",
        "Tomas Ek",
        "Fri, 25 Jun 2010 13:55:49 +0100",
    ),
    ("Am 13.06.2012 um 10:22 schrieb Thomas Ek <t@example.com>:", "Thomas Ek", "13.06.2012 um 10:22"),
    ("Le 8 janvier 2026 à 10:02, Mara Lind <m@e.example> a écrit :", "Mara Lind", "8 janvier 2026 à 10:02"),
    ("El jue., 8 ene. 2026 a las 10:02, Mara (<m@e.example>) escribió:", "Mara", "jue., 8 ene. 2026 a las 10:02"),
    ("Den tors 8 jan. 2026 kl 10:02 skrev Mara Lind <m@e.example>:", "Mara Lind", "tors 8 jan. 2026 kl 10:02"),
    ("Op do 8 jan. 2026 om 10:02 schreef Mara <m@e.example>:", "Mara", "do 8 jan. 2026 om 10:02"),
    ("W dniu 8 stycznia 2026 10:02 użytkownik Mara <m@e.example> napisał:", "Mara", "8 stycznia 2026 10:02"),
    ("8 января 2026 г., 10:02, Mara <m@e.example> написал:", "Mara", "8 января 2026 г., 10:02"),
    ("Mara Lind kirjoitti 5.3.2012 10:22:", "Mara Lind", "5.3.2012 10:22"),
    ("2026年1月8日(木) 10:02 Mara Lind <m@example.com>のメール", "Mara Lind", "2026年1月8日(木) 10:02"),
    ("2026年1月8日(木) 10:02 Mara Lind <m@example.com>:", "Mara Lind", "2026年1月8日(木) 10:02"),
    ("2026-01-08 10:02 Mara Lind <m@example.com>:", "Mara Lind", "2026-01-08 10:02"),
    ("在 2026年1月8日，10:02，Mara <m@e.example> 写道：", "Mara", "2026年1月8日，10:02"),
    ("* Mara Lind <m@example.com> wrote:", "Mara Lind", ""),
    ("mara@example.com writes:", "mara (example.com)", ""),
    ("Mara wrote:", "Mara", ""),
    (
        "From: Mara Lind\nSent: Thursday, 8 January 2026 10:02\nTo: a@b.example\nSubject: Plan",
        "Mara Lind",
        "Thursday, 8 January 2026 10:02",
    ),
    (
        "*Von:* Mara Lind [mailto:m@e.example]\n*Gesendet:* Donnerstag\n*An:* Tomas\n*Betreff:* Plan",
        "Mara Lind",
        "Donnerstag",
    ),
    (
        "---------- Forwarded message ---------\nFrom: Mara <m@e.example>\nDate: Thu\nSubject: x\nTo: <t@e.example>",
        "Mara",
        "Thu",
    ),
    ("-----Original Message-----", "", ""),
    ("Begin forwarded message:", "", ""),
]


@pytest.mark.parametrize(("text", "who", "when"), LINES)
def test_introductions(text: str, who: str, when: str) -> None:
    assert is_attribution(text)
    assert attribution(text) == (who, when)


@pytest.mark.parametrize(
    "text",
    [
        "On the build host you can run:",
        "He always wrote: that is 3 and 4 things",
        "Here is what the customer wrote:",
        "Thanks, agreed.",
        "From: Mara\nplain text",
        "To: do\nSubject: to change\nDate: open",
        "",
        "\n\n",
    ],
)
def test_own_words(text: str) -> None:
    assert not is_attribution(text)


def test_own_words_right_above_are_not_taken() -> None:
    lines = ["Thanks for all of it.", "On Thu, 8 Jan 2026 at 10:02, Mara Lind", "<mara@example.com> wrote:", "> x"]
    assert [starts(lines, at) for at in (0, 1, 3)] == [0, 2, 0]
    assert starts(["If that fails it is down.", "", "On 9 Jan 2026, at 14:47, Tomas Ek wrote:"], 0) == 0


def test_a_header_block_with_wrapped_recipients() -> None:
    lines = ["From: Mara Lind", "Sent: Thu", "To: Tomas Ek; Ada;", "Ben; Cy", "Subject: x", "Hello"]
    assert header_block(lines) == 5
    assert starts(["________________________________", "", *lines], 0) == 7


@given(
    st.lists(
        st.sampled_from([line for text, _, _ in LINES for line in text.split("\n")] + ["", "x", ">", "wrote:"]),
        max_size=8,
    )
)
def test_any_lines_are_taken_in_whole_lines(lines: list[str]) -> None:
    for at in range(len(lines)):
        assert 0 <= starts(lines, at) <= len(lines) - at
    assert 0 <= header_block(lines) <= len(lines)
    attribution("\n".join(lines))


@given(st.text(st.characters(), max_size=300))
def test_any_text(text: str) -> None:
    is_attribution(text)
    who, when = attribution(text)
    assert "\n" not in who + when
