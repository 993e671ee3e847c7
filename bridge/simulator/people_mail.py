"""What people do in Gmail: they write, reply, label, throw away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from email.utils import format_datetime
from functools import partial

from bridge.sandbox.gmail_people import SandboxGmail
from bridge.simulator.acts import Act
from bridge.simulator.letters import letter
from bridge.simulator.people_bridge import publish_anew
from bridge.simulator.people_scene import FILE_NAMES, OUTSIDE, Conversation, Copy, Mail, Scene

_ROUTES = {"Confluence/ENG": 8, "Confluence/Also": 2, "Confluence/Posts": 2, "Confluence/Desk": 2, "Confluence/Own": 4}
_OTHER_LABELS = {"Confluence/HR": 1, "Confluence/Extra": 1, "Private": 1}
LABELS = _ROUTES | _OTHER_LABELS
"""The labels that people use, and how often; some have no route at some times, one never has."""

SLIP_SECONDS = (2.0, 9.0)
"""How soon somebody takes a label off that they put on by mistake; well within the product's wait."""


def write(scene: Scene) -> Act | None:
    """Have somebody begin a conversation; it is labelled soon, more often than not."""
    random = scene.random
    sender = random.choice(OUTSIDE) if random.random() < 0.25 else scene.person()
    others = [one for one in scene.people if one != sender]
    chosen = random.sample(others, min(len(others), random.choice((1, 1, 2, 2, 3))))
    if random.random() < 0.15:
        chosen += [one for one in OUTSIDE if one != sender][:1]
    conversation = Conversation(f"c{len(scene.conversations) + 1}", "")
    conversation.subject = f"Plan {scene.new_word('ks')}"
    scene.conversations.append(conversation)
    act = _send(scene, conversation, sender, chosen, None)
    holders = list(conversation.mails[0].copies)
    if random.random() < 0.75:
        for person in random.sample(holders, 1 if random.random() < 0.7 else min(2, len(holders))):
            scene.soon(_a_while(scene), _Labelling(conversation, person))
    return act


def reply_to_all(scene: Scene) -> Act | None:
    """Have somebody reply to everybody on the latest mail that they have; now and then to one person more."""
    return _reply(scene, narrow=False)


def reply_to_one(scene: Scene) -> Act | None:
    """Have somebody reply to one person alone, though others were on the mail."""
    return _reply(scene, narrow=True)


def label(scene: Scene) -> Act | None:
    """Have somebody label a conversation that they have."""
    conversation = scene.conversation()
    if conversation is None:
        return None
    holders = sorted({person for mail in conversation.mails for person in mail.copies})
    return _Labelling(conversation, scene.random.choice(holders))(scene) if holders else None


def slip(scene: Scene) -> Act | None:
    """Have somebody label by mistake and take it off at once."""
    conversation = scene.conversation()
    if conversation is None:
        return None
    holders = sorted({person for mail in conversation.mails for person in mail.copies})
    person = scene.random.choice(holders)
    if _labels_on(scene, conversation, person):
        return None
    act = _Labelling(conversation, person)(scene)
    if act is not None:
        name = act.details["label"]
        scene.soon(scene.random.uniform(*SLIP_SECONDS), lambda scene: _unlabel(scene, conversation, person, name))
    return act


def unlabel(scene: Scene) -> Act | None:
    """Have somebody take a label off a conversation."""
    conversation = scene.conversation()
    if conversation is None:
        return None
    on = [
        (person, name)
        for person in sorted({person for mail in conversation.mails for person in mail.copies})
        for name in _labels_on(scene, conversation, person)
    ]
    if not on:
        return None
    person, name = scene.random.choice(on)
    act = _unlabel(scene, conversation, person, name)
    if act is not None and scene.random.random() < 0.5:
        scene.soon(_a_while(scene) * 3, _Labelling(conversation, person, name))
    return act


def trash(scene: Scene) -> Act | None:
    """Have somebody throw a mail away; half of the time they think better of it later."""
    found = _a_mail(scene, hidden=False)
    if found is None:
        return None
    mail, person = found
    scene.world.google.gmail.trash(person, mail.copies[person].message_id)
    if scene.random.random() < 0.5:
        scene.soon(_a_while(scene) * 3, lambda scene: _untrash(scene, mail, person))
    return scene.done(person, "trash", mail.conversation, mail=mail.name)


def spam(scene: Scene) -> Act | None:
    """Have somebody report a mail as spam."""
    found = _a_mail(scene, hidden=False)
    if found is None:
        return None
    mail, person = found
    scene.world.google.gmail.spam(person, mail.copies[person].message_id)
    return scene.done(person, "spam", mail.conversation, mail=mail.name)


def delete(scene: Scene) -> Act | None:
    """Have somebody delete a mail for ever."""
    found = _a_mail(scene, hidden=None)
    if found is None:
        return None
    mail, person = found
    scene.world.google.gmail.delete_forever(person, mail.copies[person].message_id)
    return scene.done(person, "delete for ever", mail.conversation, mail=mail.name)


def rename_label(scene: Scene) -> Act | None:
    """Have somebody rename one of their labels; another of the old name may be made later."""
    chosen = _a_label(scene)
    if chosen is None:
        return None
    person, label_id, name = chosen
    new = f"Old/{name.rpartition('/')[2]} {len(scene.history)}"
    scene.world.google.gmail.rename_label(person, label_id, new)
    return scene.done(person, "rename label", id=label_id, label=name, to=new)


def delete_label(scene: Scene) -> Act | None:
    """Have somebody delete one of their labels."""
    chosen = _a_label(scene)
    if chosen is None:
        return None
    person, label_id, name = chosen
    scene.world.google.gmail.delete_label(person, label_id)
    return scene.done(person, "delete label", id=label_id, label=name)


def _reply(scene: Scene, *, narrow: bool) -> Act | None:
    conversation = scene.conversation()
    if conversation is None:
        return None
    sender = scene.random.choice((*scene.people, *OUTSIDE)) if not narrow else scene.person()
    got = [mail for mail in conversation.mails if sender in mail.people and _is_there(scene, mail, sender)]
    if not got:
        return None
    last = got[-1]
    others = [one for one in dict.fromkeys(last.people) if one != sender]
    if narrow:
        if len(others) < 2:
            return None
        others = [scene.random.choice(others)]
    elif scene.random.random() < 0.12:
        missing = [one for one in scene.people if one not in others and one != sender]
        others += scene.random.sample(missing, min(1, len(missing)))
    if not others:
        return None
    if scene.random.random() < 0.3:
        _look_at_it(scene, conversation)
    return _send(scene, conversation, sender, others, last)


def _look_at_it(scene: Scene, conversation: Conversation) -> None:
    """Have somebody who labelled a conversation ask about its page just when something new comes to it."""
    holders = sorted({person for mail in conversation.mails for person in mail.copies})
    following = [person for person in holders if _labels_on(scene, conversation, person)]
    if following:
        asking = partial(publish_anew, conversation=conversation, person=scene.random.choice(following))
        scene.soon(scene.random.uniform(0.2, 2.5), asking)


def _is_there(scene: Scene, mail: Mail, person: str) -> bool:
    """Say whether somebody can reply to a mail: it is in their mailbox, and not in the trash."""
    if person not in mail.copies:
        return True
    found = scene.world.google.gmail.mailbox(person).messages.get(mail.copies[person].message_id)
    return found is not None and not found.hidden


def _send(scene: Scene, conversation: Conversation, sender: str, to: Sequence[str], parent: Mail | None) -> Act:
    """Send a mail; a reply quotes nothing, so that each word stands in one mail."""
    number = sum(len(one.mails) for one in scene.conversations) + 1
    word = scene.new_word("kw") if parent is not None else conversation.subject.rpartition(" ")[2].replace("ks", "kw")
    rfc822 = f"m{number}.{scene.random.getrandbits(32):08x}@{sender.partition('@')[2]}"
    fields = {
        "From": sender,
        "To": ", ".join(to),
        "Subject": conversation.subject if parent is None else f"Re: {conversation.subject}",
        "Message-ID": f"<{rfc822}>",
        "Date": format_datetime(scene.now),
    }
    if parent is not None:
        chain = [f"<{mail.rfc822}>" for mail in conversation.mails if mail.at <= parent.at]
        fields |= {"In-Reply-To": f"<{parent.rfc822}>", "References": " ".join(chain)}
    attached = _attached(scene, word)
    eml = letter(fields, word, html=scene.random.random() < 0.3, files=attached)
    files = tuple(f"{name}:{hashlib.sha256(data).hexdigest()}" for name, data in attached)
    copies = _deliver(scene.world.google.gmail, eml, sender, to)
    mail = Mail(f"m{number}", conversation.name, rfc822, word, sender, tuple(to), scene.now, files, copies)
    conversation.mails.append(mail)
    return scene.done(
        sender,
        "write" if parent is None else "reply",
        conversation.name,
        mail=mail.name,
        word=word,
        to=" ".join(to),
        files=" ".join(files),
        rfc822=rfc822,
        copies=" ".join(f"{person}={one.message_id}/{one.thread_id}" for person, one in copies.items()),
    )


def _attached(scene: Scene, word: str) -> list[tuple[str, bytes]]:
    """Return name and bytes of the files of a mail; most have none."""
    random = scene.random
    count = random.choice((0, 0, 0, 1, 2))
    return [(random.choice(FILE_NAMES), f"{word} {random.getrandbits(64):x}\n".encode()) for _ in range(count)]


def _deliver(gmail: SandboxGmail, eml: bytes, sender: str, to: Iterable[str]) -> dict[str, Copy]:
    if sender in gmail.mailboxes:
        return {person: Copy(*ids) for person, ids in gmail.send(sender, eml).items()}
    return {person: Copy(*gmail.deliver(person, eml)) for person in to if person in gmail.mailboxes}


class _Labelling:
    """Somebody's intention to label a conversation; which label is chosen when they do it."""

    def __init__(self, conversation: Conversation, person: str, name: str = "") -> None:
        self._conversation, self._person, self._name = conversation, person, name

    def __call__(self, scene: Scene) -> Act | None:
        """Do it."""
        gmail, person = scene.world.google.gmail, self._person
        thread = scene.thread_of(self._conversation, person)
        if not thread:
            return None
        name = self._name or scene.random.choices(list(LABELS), list(LABELS.values()))[0]
        held = gmail.mailbox(person).labels.find(name) or gmail.create_label(person, name)
        there = _in_thread(scene, self._conversation, person, thread)
        gmail.label_thread(person, thread, held.id)
        return scene.done(
            person, "label", self._conversation.name, label=name, id=held.id, thread=thread, mails=" ".join(there)
        )


def _unlabel(scene: Scene, conversation: Conversation, person: str, name: str) -> Act | None:
    gmail = scene.world.google.gmail
    held, thread = gmail.mailbox(person).labels.find(name), scene.thread_of(conversation, person)
    if held is None or not thread:
        return None
    there = _in_thread(scene, conversation, person, thread)
    gmail.unlabel_thread(person, thread, held.id)
    return scene.done(
        person, "unlabel", conversation.name, label=name, id=held.id, thread=thread, mails=" ".join(there)
    )


def _untrash(scene: Scene, mail: Mail, person: str) -> Act | None:
    gmail = scene.world.google.gmail
    if mail.copies[person].message_id not in gmail.mailbox(person).messages:
        return None
    gmail.untrash(person, mail.copies[person].message_id)
    return scene.done(person, "untrash", mail.conversation, mail=mail.name)


def _in_thread(scene: Scene, conversation: Conversation, person: str, thread: str) -> list[str]:
    standing = scene.world.google.gmail.mailbox(person).messages
    return [
        mail.name
        for mail in conversation.in_mailbox(person)
        if mail.copies[person].thread_id == thread and mail.copies[person].message_id in standing
    ]


def _labels_on(scene: Scene, conversation: Conversation, person: str) -> list[str]:
    """Return the names of somebody's own labels on a conversation."""
    box, thread = scene.world.google.gmail.mailbox(person), scene.thread_of(conversation, person)
    view = box.current(thread) if thread else None
    on = {one for message in view.messages for one in message.label_ids} if view else set()
    return [one.name for one in box.user_labels() if one.id in on]


def _a_mail(scene: Scene, *, hidden: bool | None) -> tuple[Mail, str] | None:
    """Return a mail and whose copy of it is meant; ``hidden`` None takes any."""
    conversation = scene.conversation()
    if conversation is None:
        return None
    mail = scene.random.choice(conversation.mails)
    if not mail.copies:
        return None
    person = scene.random.choice(sorted(mail.copies))
    found = scene.world.google.gmail.mailbox(person).messages.get(mail.copies[person].message_id)
    if found is None or (hidden is not None and found.hidden is not hidden):
        return None
    return mail, person


def _a_label(scene: Scene) -> tuple[str, str, str] | None:
    """Return somebody, and the id and name of a label of theirs."""
    person = scene.person()
    made = scene.world.google.gmail.mailbox(person).user_labels()
    if not made:
        return None
    one = scene.random.choice(made)
    return person, one.id, one.name


def _a_while(scene: Scene) -> float:
    """Return a few seconds or some minutes."""
    return scene.random.choice((scene.random.uniform(1.0, 40.0), scene.random.uniform(60.0, 1500.0)))
