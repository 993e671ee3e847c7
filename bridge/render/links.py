"""Which addresses of a mail stay links. Anything that could act for whoever clicks it keeps its text alone."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_BARE = re.compile(r"""\bhttps?://[^\s<>"'\u00a0\u3000-\u303f\uff00-\uff60]{1,2000}""", re.IGNORECASE)
_FOREIGN = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")

_UNSUBSCRIBE = (
    r"un-?subscribe|opt[\s_-]?out|abmelden|abbestellen|austragen|désabonn|desabonn|désinscri|desinscri|darse de baja|"
    r"cancelar (?:la )?suscripci|cancelar inscri|disiscri|annulla (?:l')?iscrizione|afmelden|uitschrijven|avregistrera|"
    r"avprenumerera|afmeld|meld deg av|wypisz|odhlásit|leiratkoz|отписаться|відписатися|退订|取消订阅|配信停止|수신거부"
)
_ACTING_TEXT = re.compile(
    rf"{_UNSUBSCRIBE}|^\W*(?:yes|no|maybe|ja|nein|vielleicht|oui|non|sí)\W*$|"
    r"^\W*(?:please )?(?:click (?:here )?to )?(?:"
    r"sign[\s-]?in|log[\s-]?in|sign on|confirm|verify|activate|accept|decline|approve|reject|join the team|"
    r"reset (?:your |my |the )?password|set (?:your |a )?password|"
    r"anmelden|einloggen|bestätigen|jetzt bestätigen|zusagen|absagen|ablehnen|annehmen|passwort zurücksetzen|"
    r"se connecter|connexion|confirmer|vérifier|accepter|refuser|iniciar sesión|confirmar|aceptar|rechazar|"
    r"accedi|conferma|accetta|rifiuta)\b",
    re.IGNORECASE,
)
_ACTING_ADDRESS = re.compile(
    r"un-?subscribe|"
    r"/(?:opt-?out|confirm|verify|activate|magic|reset|signin|login|logon|sso)(?:[-_/?.]|$)|"
    r"[-_/](?:magic[-_]?link|reset[-_]?password|password[-_]?reset|accept[-_]?invite|invitations?/accept)(?:[-_/?.]|$)|"
    r"[?&;](?:tok|\w*token|otp|magic|activation_?\w*|confirmation_?\w*|login_?key|auth_?key|one_?time\w*)=|"
    r"action=(?:respond|accept|decline|confirm|unsubscribe)",
    re.IGNORECASE,
)
_CALENDAR = re.compile(r"//(?:www\.)?(?:calendar\.google|google)\.com/calendar/.{0,500}(?:respond|rst=)", re.IGNORECASE)
_LONGEST_TEXT = 60
_LONGEST_ADDRESS = 4096


def safe_address(href: str) -> str:
    """Return the address if a page may link to it, else ''.

    http, https, mailto and tel only; http needs a host and never carries a password; 4,096 characters at most.
    """
    href = href.strip()
    if not href or len(href) > _LONGEST_ADDRESS or _FOREIGN.search(href.replace(" ", "%20")):
        return ""
    href = href.replace(" ", "%20")
    scheme, colon, rest = href.partition(":")
    if not colon or scheme.lower() not in _SCHEMES or not rest:
        return ""
    if scheme.lower() in {"mailto", "tel"}:
        return href
    try:
        parts = urlsplit(href)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    return "" if not host or parts.password is not None else href


def acts(href: str, text: str) -> bool:
    """Say whether a link does something for whoever clicks it: unsubscribe, sign in, confirm, answer an invitation.

    Judged by the address and, where the text is short, by what it says.
    """
    address = href.lower()
    if address.startswith("mailto:"):
        return bool(re.search(_UNSUBSCRIBE, address))
    if _ACTING_ADDRESS.search(href) or _CALENDAR.search(href):
        return True
    text = " ".join(text.split())
    return len(text) <= _LONGEST_TEXT and bool(_ACTING_TEXT.search(text))


def bare_addresses(text: str) -> list[tuple[int, int]]:
    """Return where http(s) addresses stand in plain text, without the punctuation that ends a sentence."""
    found = []
    for match in _BARE.finditer(text):
        address = match[0]
        while address and (address[-1] in ".,;:!?*_'" or _unbalanced(address)):
            address = address[:-1]
        if safe_address(address):
            found.append((match.start(), match.start() + len(address)))
    return found


def _unbalanced(address: str) -> bool:
    return any(address[-1] == end and address.count(start) < address.count(end) for start, end in ("()", "[]", "{}"))
