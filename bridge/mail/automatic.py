"""Is a mail a person's own, and is its sender proven? Decided from header fields, their names in lower case."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from bridge.mail import headers
from bridge.model import Person, Proof

Fields = Mapping[str, Sequence[str]]
"""All fields of a mail by lower-case name, values in the order in which they stand."""

_OUT_OF_OFFICE = re.compile(
    r"^\W*(?:automatic reply|auto(?:matic)?[ -]?reply|auto[ -]?response|out of (?:the )?office|abwesenheitsnotiz"
    r"|automatische antwort|abwesend|réponse automatique|absence du bureau|risposta automatica|fuori sede"
    r"|respuesta automática|fuera de la oficina|resposta automática|automatisch antwoord|afwezigheidsbericht"
    r"|autosvar|automatiskt svar|automatisk svar|automaattinen vastaus|odpowiedź automatyczna|automatická odpověď"
    r"|автоответ|自动回复|自動回覆|自動応答|자동 회신)\s*(?:[:：(]|$)",
    re.IGNORECASE,
)
_ROBOTS = ("jira", "confluence", "noreply", "no-reply", "notifications", "wiki")
_ATLASSIAN = re.compile(r"@(?:[a-z0-9-]+\.)*(?:atlassian\.net|atlassian\.com|jira\.com)$")
_BOUNCERS = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon)@")
_NOTHING_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)')


def automatic(fields: Fields, sender: Person, subject: str, kinds: Collection[str]) -> str:
    """Why a mail is not a person's own, as a few words for ``explain``; '' for a person's.

    ``kinds`` are the MIME types of its parts. An invitation is a person's though a calendar sent it.
    """
    return (
        _notification(fields, sender)
        or _report(fields, sender, kinds)
        or ("reaction" if "text/vnd.google.email-reaction+json" in kinds else "")
        or _answer(fields, subject, kinds)
    )


def proof(label_ids: Collection[str], sender: Person, owner: str, fields: Fields) -> Proof:
    """How far the sender is proven. ``owner`` is the address of the mailbox that the mail lies in, '' if in none.

    SENT proves the owner alone. Otherwise the topmost Authentication-Results counts (the receiving server's own; those
    below came with the mail), for a single From whose domain is the one that it names.
    """
    if "SENT" in label_ids and owner and sender.address == owner.lower():
        return "sent"
    results = fields.get("authentication-results", ())
    if not results or not sender.address:
        return "none"
    for part in _NOTHING_QUOTED.sub(" ", headers.unfold(results[0])).split(";")[1:]:
        match = re.match(r"\s*dmarc\s*=\s*([a-z]+)", part, re.IGNORECASE)
        if match is None:
            continue
        if match[1].lower() == "fail":
            return "failed"
        named = re.search(r"header\.from\s*=\s*([^\s;]+)", part, re.IGNORECASE)
        single = len(fields.get("from", ())) == 1 and len(headers.people(fields["from"][0])) == 1
        if match[1].lower() == "pass" and single and (named is None or _covers(named[1], sender.address)):
            return "dmarc"
    return "none"


def _covers(domain: str, address: str) -> bool:
    domain = domain.lower().rpartition("@")[2].strip(".")
    own = address.rpartition("@")[2]
    return own == domain or own.endswith(f".{domain}")


def _notification(fields: Fields, sender: Person) -> str:
    """Confluence's and Jira's own mail, and this program's: published, it would make more of its kind."""
    names = set(fields)
    local, _, _ = sender.address.partition("@")
    robot = local.startswith(_ROBOTS) or local in ("", "mail", "info")
    site = sender.address.endswith((".atlassian.net", ".jira.com"))
    if any(name.startswith("x-jira-") for name in names) or local == "jira" or (site and local.startswith("jira")):
        return "notification of Jira"
    if any(name.startswith("x-mailbridge") for name in names):
        return "notification of this program"
    confluence = any(name.startswith(("x-confluence-", "x-atlassian-")) for name in names) or local == "confluence"
    if confluence or site or (robot and _ATLASSIAN.search(sender.address)):
        return "notification of Confluence"
    return ""


def _report(fields: Fields, sender: Person, kinds: Collection[str]) -> str:
    types = headers.parameters(_top(fields, "content-type"))
    report = types[1].get("report-type", "").lower()
    if report == "disposition-notification" or "message/disposition-notification" in kinds:
        return "read receipt"
    null = [value for value in fields.get("return-path", ()) if value.strip() == "<>"]
    if report == "delivery-status" or (types[0] == "multipart/report" and "message/delivery-status" in kinds):
        return "delivery report"
    failed = "x-failed-recipients" in fields or "message/delivery-status" in kinds
    if _BOUNCERS.match(sender.address) or sender.name.lower() == "mailer-daemon" or (null and failed):
        return "delivery report"
    if null and "text/calendar" not in kinds:
        return "null sender"
    return ""


def _answer(fields: Fields, subject: str, kinds: Collection[str]) -> str:
    submitted = re.split(r"[;\s(]", _top(fields, "auto-submitted").strip().lower(), maxsplit=1)[0]
    precedence = {value.strip().lower() for name in ("precedence", "x-precedence") for value in fields.get(name, ())}
    replied = submitted == "auto-replied" or "auto_reply" in precedence
    marked = any(name in fields for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply"))
    if replied or marked or _OUT_OF_OFFICE.match(subject):
        return "out of office"
    if submitted and submitted != "no" and "text/calendar" not in kinds:
        return "automatic mail"
    return ""


def _top(fields: Fields, name: str) -> str:
    return next(iter(fields.get(name, ())), "")
