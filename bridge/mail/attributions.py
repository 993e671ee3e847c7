"""Lines that introduce quoted mail, in many languages: "On ... wrote:", Outlook's header blocks, "Original Message"."""

from __future__ import annotations

import re

_WROTE = (
    "wrote|writes|schrieb|schreibt|hat geschrieben|a écrit|escribió|ha escrit|ha scritto|escreveu|schreef|skrev|skreiv"
    "|het volgende geschreven|kirjoitti|napisała?|napisał\\(a\\)|pisze|napsala?|napísala?|написала?|пишет|писала?|пише"
    "|írta|a scris|έγραψε|yazdı|şunu yazdı|đã viết|menulis|je napisao|je napisala|kirjutas|rašė|rakstīja"
)
_WROTE_EAST = "写道|寫道|写到|のメール|さんは書きました|님이 작성|님이 쓴 글|כתב"
_VERB = re.compile(rf"(?<!\w)(?:{_WROTE})(?!\w)|{_WROTE_EAST}", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:on|am|le|el|il|em|op|den|dnia|在|w dniu|dne|dňa|pe|la|tarihinde|at|в|вт|пн|ср|чт|пт|сб|вс"
    r"|στις|vào)(?=\s)[\s,]*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[<\[(]?(?:mailto:)?[^\s<>\[\]()@]{1,64}@[^\s<>\[\]()]{1,255}[>\])]?")
_DATE_END = re.compile(
    r"(?:\d{1,2}[:.h]\d{2}(?::\d{2})?|\d{4}(?:年\d+月\d+日)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})"
    r"(?:\s*(?:[ap]\.?m\.?|uhr|(?:gmt|utc)(?:[+-]\d{1,4})?|[+-]\d{4}|\([A-Z]{2,5}\)|ч\.?|г\.?)(?!\w))*",
    re.IGNORECASE,
)
_LABELS = {
    "from": "from|von|de|da|van|från|fra|lähettäjä|od|odesílatel|от|от кого|від"
    "|发件人|寄件者|差出人|送信者|보낸 사람|kimden|gönderen|feladó|από|expéditeur|remitente|mittente",
    "when": "sent|date|gesendet|datum|envoyé|envoyé le|date d'envoi|enviado|enviado el|enviada em"
    "|enviado em|fecha|inviato"
    "|data|verzonden|skickat|sendt|dato|lähetetty|päivämäärä|päiväys|wysłano|wysłane|odesláno|odoslané|отправлено|дата"
    "|надіслано|发送时间|日期|送信日時|日時|寄件日期|보낸 날짜|날짜|gönderildi|gönderilen|tarih|elküldve"
    "|dátum",
    "else": "to|an|à|a|para|aan|till|til|kopi|vastaanottaja|do|komu|кому|收件人|宛先|받는 사람|kime|címzett|cc"
    "|kopie|copie|копия|抄送|subject|betreff|betrifft|objet|asunto|oggetto|assunto|onderwerp|ämne"
    "|emne|aihe|temat|předmět|predmet"
    "|тема|主题|主旨|件名|제목|konu|tárgy|reply-to|organization|importance|priorität|wichtigkeit|attachments?",
}
_LABEL = re.compile(
    r"^[\s>]*[*_]*(?:"
    + "|".join(f"(?P<{key}>{names})" for key, names in _LABELS.items())
    + r")[*_]*\s*[:：][*_]*\s*(?P<value>.*)$",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"^[\s>]*(?:[-_]{2,}\s*(?:original message|originalnachricht|ursprüngliche nachricht|message d'origine"
    r"|message original|mensaje original|mensagem original|messaggio originale"
    r"|oorspronkelijk bericht|original meddelelse"
    r"|originalmeddelande|ursprungligt meddelande|opprinnelig melding|oprindelig meddelelse"
    r"|alkuperäinen viesti|wiadomość oryginalna"
    r"|původní zpráva|исходное сообщение|原始邮件|原始郵件|reply message|forwarded message|weitergeleitete nachricht"
    r"|message transféré|mensaje reenviado|doorgestuurd bericht|vidarebefordrat meddelande|пересылаемое сообщение"
    r"|forwarded by .{1,80}|original mail|reply above this line)\s*[-_]{2,}|begin forwarded message:|[-_]{20,})\s*$",
    re.IGNORECASE,
)
_VERBLESS = re.compile(
    r"^\d{4}(?:年|[./-])\s?\d{1,2}(?:月|[./-])\s?\d{1,2}日?[^<>]{0,120}<[^<>@\s]{1,64}@[^<>\s]{1,255}>\s*[:：]$"
)
"""Gmail's own line in languages that put no verb: "2026年1月8日(木) 10:02 Mara Lind <mara@example.com>:"."""

MAX_LINES = 6
"""An attribution line is wrapped over at most so many lines; a header block's fields may each be wrapped too."""


def is_attribution(text: str) -> bool:
    """Does ``text`` introduce quoted mail and say nothing else? One line, wrapped or not, or a header block."""
    lines = [line for line in text.strip().split("\n") if line.strip()]
    if not lines or len(text) > 2000:
        return False
    while lines and _RULE.match(lines[0]):
        lines = lines[1:]
    if not lines:
        return True
    return _is_wrote(" ".join(line.strip() for line in lines)) or header_block(lines) == len(lines)


def attribution(text: str) -> tuple[str, str]:
    """(who, when) as the attribution says it, each '' where it does not. Who is a name, else ``user (domain)``."""
    lines = [line for line in text.strip().split("\n") if line.strip() and not _RULE.match(line)]
    if header_block(lines):
        return _of_block(lines)
    joined = " ".join(line.strip(" \t>") for line in lines)
    verb = _VERB.search(joined)
    if verb is None:
        return _parted(joined.rstrip(" :：")) if _VERBLESS.match(joined.strip()) else ("", "")
    before = _LEAD.sub("", joined[: verb.start()]).strip(" ,")
    after = joined[verb.end() :].strip(" :：,\n")
    if not re.search(r"\w", after):
        return _parted(before)
    if re.search(r"\d", after) and not re.search(r"\d", _ADDRESS.sub("", before)):
        return _who(before), re.sub(r"^(?:on|am|le|op|den)\s+", "", after)
    return _who(after), before


def header_block(lines: list[str]) -> int:
    """How many of ``lines``, from the first, are a header block (From:, Sent:, To:, Subject:); 0 where it is none."""
    found: set[str] = set()
    count = labelled = 0
    for line in lines[:30]:
        match = _LABEL.match(line)
        if match is None:
            if not labelled or not line.strip() or not _continues(lines[count - 1], line):
                break
            count += 1
            continue
        found.add(next(key for key in ("from", "when", "else") if match[key]))
        labelled += 1
        count += 1
    return count if labelled >= 3 and "from" in found and len(found) > 1 else 0


def starts(lines: list[str], at: int) -> int:
    """How many lines from ``at`` introduce quoted mail, blank lines between rule and block counted; 0 for none."""
    end = at
    ruled = bool(_RULE.match(lines[at]))
    while end < min(len(lines), at + MAX_LINES) and (_RULE.match(lines[end]) or (end > at and not lines[end].strip())):
        end += 1
    count = header_block(lines[end : end + 30])
    if count:
        return end + count - at
    if ruled and not re.match(r"^[\s>]*[-_]{20,}\s*$", lines[at]):
        return 1
    if ruled or not lines[at].strip():
        return 0
    return _wrapped(lines, at)


def _wrapped(lines: list[str], at: int) -> int:
    """The same for an "On ... wrote:" line, which may be wrapped; own words right above one are not part of it."""
    joined = ""
    for number in range(at, min(at + MAX_LINES, len(lines))):
        line = lines[number].strip()
        if not line or len(joined) > 500:
            return 0
        joined = f"{joined} {line}".strip()
        if _is_wrote(joined):
            below = (" ".join(one.strip() for one in lines[start : number + 1]) for start in range(at + 1, number + 1))
            whole = number == at or (_may_begin(lines[at]) and not any(map(_is_dated, below)))
            return number + 1 - at if whole else 0
    return 0


def _may_begin(line: str) -> bool:
    """May a wrapped introduction begin with this line: a date, an address, "On", and no end of a sentence?"""
    line = line.strip()
    begins = bool(_LEAD.match(line)) or bool(_ADDRESS.search(line)) or len(re.findall(r"\d+", line)) >= 2
    return begins and not re.search(r"[^\W\d_]{4}[.!?]$", line)


def _is_dated(line: str) -> bool:
    return len(re.findall(r"\d+", _ADDRESS.sub("", line))) >= 2 and _is_wrote(line)


def _is_wrote(line: str) -> bool:
    """Is a (joined) line of the kind "On 3 March, Ada wrote:"?"""
    line = line.strip(" \t>*_")
    if not 6 < len(line) < 500 or not (line[-1] in ":：" or re.search(f"(?:{_WROTE_EAST})$", line)):
        return False
    verb = _VERB.search(line)
    if verb is None or "\n" in line:
        return bool(_VERBLESS.match(line))
    lead = bool(_LEAD.match(line))
    dated = len(re.findall(r"\d+", _ADDRESS.sub("", line))) >= 2
    addressed = bool(_ADDRESS.search(line))
    ends = not re.search(r"[^\W\d_]", line[verb.end() :])
    # "Ada wrote:" alone is short and begins with a name; a sentence about what somebody wrote is not.
    short = ends and len(line.split()) <= 5 and line[:1].isupper() and not lead
    return (dated and (lead or addressed or ends)) or (addressed and (ends or lead)) or short


def _continues(before: str, line: str) -> bool:
    """Is a line without a label the wrapped rest of the field before it (a list of recipients, a long subject)?"""
    rest = bool(_ADDRESS.search(line)) and line.rstrip().endswith((">", ";", ",", ")")) and len(line) < 200
    return line[:1] in " \t" or before.rstrip().endswith((";", ",")) or rest


def _of_block(lines: list[str]) -> tuple[str, str]:
    who = when = ""
    for line in lines:
        match = _LABEL.match(line)
        if match is None:
            continue
        if match["from"] and not who:
            who = _who(match["value"])
        elif match["when"] and not when:
            when = match["value"].strip(" *_")
    return who, when


def _parted(before: str) -> tuple[str, str]:
    """Take apart who and when: "Thu, 8 Jan 2026 at 10:02, Ada Lovelace" or "Ada Lovelace, 8 Jan 2026"."""
    bare = _ADDRESS.sub(lambda match: " " * len(match[0]), before)
    ends = [match.end() for match in _DATE_END.finditer(bare)]
    if not ends:
        return _who(before), ""
    rest = before[ends[-1] :].strip(" ,;")
    if re.search(r"[^\W\d]", rest):
        return _who(rest), before[: ends[-1]].strip(" ,")
    start = re.search(r"\d", bare)
    first = before[: start.start()] if start else ""
    return _who(first), before[len(first) : ends[-1]].strip(" ,")


def _kept_address(match: re.Match[str]) -> str:
    return match[0] if _ADDRESS.fullmatch(match[0]) else ""  # archives write <user at host>


def _who(text: str) -> str:
    name = (
        re.sub(r"\s+", " ", _ADDRESS.sub("", re.sub(r"<[^<>]{0,200}>", _kept_address, text)))
        .strip(" ,，;:\"'*_<>[]()|")
        .removeprefix("użytkownik ")
    )
    if re.search(r"\w", name):
        return name[:120]
    found = _ADDRESS.search(text)
    if found is None:
        return ""
    local, _, domain = found[0].strip("<>[]()").removeprefix("mailto:").partition("@")
    return f"{local} ({domain})"
