from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.sync.people import blind_copy, left_out, names, not_there

from support.sync import ADA, BEN, CY, EVE, NOW, mail


@pytest.mark.parametrize(
    ("label", "why"),
    [
        ("DRAFT", "a draft"),
        ("SPAM", "in spam"),
        ("TRASH", "in the trash"),
        ("CHAT", "a chat"),
        ("SCHEDULED", "scheduled, not sent yet"),
        ("INBOX", ""),
    ],
)
def test_what_is_no_mail_of_the_thread_is_named(label: str, why: str) -> None:
    assert not_there(mail(label_ids=frozenset({label, "Label_1"})), NOW) == why


def test_a_mail_dated_ahead_is_not_there_until_then() -> None:
    ahead = mail(date=NOW + timedelta(seconds=1))
    assert not_there(ahead, NOW) == "dated in the future"
    assert not_there(ahead, NOW + timedelta(seconds=1)) == ""


def test_whoever_was_there_before_and_is_not_now_was_left_out() -> None:
    first = mail(1, to=(BEN, CY))
    assert left_out(mail(2, sender=BEN, to=(ADA,)), [first]) == (CY,)
    assert left_out(mail(2, sender=BEN, to=(ADA,), cc=(CY,)), [first]) == ()
    assert left_out(mail(2, sender=EVE, to=(ADA,)), [first]) == (BEN, CY)


def test_the_first_mail_leaves_nobody_out_and_the_sender_never_counts() -> None:
    assert left_out(mail(1), []) == ()
    assert left_out(mail(2, sender=BEN, to=(ADA,)), [mail(1, sender=ADA, to=(BEN,))]) == ()


def test_a_reply_through_the_same_list_leaves_nobody_out() -> None:
    first = mail(1, to=("eng@lists.example.com", CY), list_id="eng.lists.example.com")
    again = mail(2, sender=BEN, to=("eng@lists.example.com",), list_id="eng.lists.example.com")
    other = mail(2, sender=BEN, to=("ops@lists.example.com",), list_id="ops.lists.example.com")
    assert left_out(again, [first]) == ()
    assert left_out(other, [first]) == (ADA, CY, "eng@lists.example.com")


def test_ones_own_copy_of_a_mail_to_a_list_names_no_list_and_is_known_by_the_address() -> None:
    own = mail(1, to=("eng@lists.example.com",), label_ids=frozenset({"SENT"}))
    reply = mail(2, sender=BEN, to=("eng@lists.example.com",), list_id="eng.lists.example.com")
    assert left_out(reply, [own]) == ()
    assert left_out(mail(3, to=("eng@lists.example.com",)), [own, reply]) == ()


def test_a_list_known_by_its_posting_address_is_the_same_list() -> None:
    own = mail(1, to=("eng@lists.example.com", CY))
    assert left_out(mail(2, sender=BEN, to=(), list_id="eng@lists.example.com"), [own]) == ()


def test_a_blind_copy_is_what_names_its_owner_nowhere() -> None:
    assert blind_copy(mail(sender=EVE, to=(BEN,)), ADA)
    assert not blind_copy(mail(sender=EVE, to=(BEN,), cc=(ADA,)), ADA)
    assert not blind_copy(mail(sender=EVE, to=(BEN,), list_id="eng.example.com"), ADA)
    assert not blind_copy(mail(sender="alias@example.com", label_ids=frozenset({"SENT"})), ADA)


def test_names_as_words() -> None:
    assert [names([]), names(["a"]), names(["a", "b"]), names(["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
