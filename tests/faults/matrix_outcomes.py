"""What each fault must come to, declared beforehand; the matrix compares with it what came.

A fault is run in one or both of two forms. *Once*: it strikes one request (and, in another run, a later one of the
same operation). *Lasting*: it strikes every such request from the first on, for seven hours; then its cause is taken
away, and who is asked to does their part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from bridge.sandbox.faults import CATALOGUE, OPERATIONS

from faults.matrix_calls import Call

Form = Literal["once", "lasting"]
Outcome = Literal["recovers", "waits", "fallback"]


@dataclass(frozen=True, slots=True)
class Column:
    """One fault of the table: a kind with its argument, and the forms in which it is run."""

    text: str
    forms: tuple[Form, ...]

    @property
    def kind(self) -> str:
        """The kind's name in the catalogue."""
        return self.text.partition("=")[0]

    def befalls(self, call: Call) -> bool:
        """Say whether it can befall a call."""
        service, method = OPERATIONS[call.operation]
        return CATALOGUE[self.kind].applies(service, method, call.operation)


_ONCE = (
    "refuse reset-before reset-after late late=60 timeout-before timeout-after slow truncate html-200 html-502 "
    "html-502-after not-json json-wrong json-fields empty-200 401-expired 500 500-after 503-after 429 429=date "
    "429=nonsense 429=none 429-burst 429-tenant 429-app 429-exhausted 403-user-rate 403-rate 403-daily 503-half stale "
    "lost-refresh skew skew=-600 no-private-200"
).split()
_LASTING = (
    "401-scope 401-revoked 403-admin-block 403-permission 404-object 404-bare 404-v1-cannot-access "
    "invalid_grant unauthorized_client invalid_client access_denied"
).split()
_BOTH = "400 401 409 413 503 no-effect-200 expired-cursor".split()

_FORMS: Mapping[str, tuple[Form, ...]] = {
    **dict.fromkeys(_ONCE, ("once",)),
    **dict.fromkeys(_LASTING, ("lasting",)),
    **dict.fromkeys(_BOTH, ("once", "lasting")),
}


def _columns() -> tuple[Column, ...]:
    """Return the columns in the order of the catalogue; a kind that has no forms declared fails here."""
    texts = [text for kind in CATALOGUE for text in _FORMS if text.partition("=")[0] == kind]
    missing = set(CATALOGUE) - {text.partition("=")[0] for text in texts}
    if missing:
        raise LookupError(f"Declare the forms and outcomes of {', '.join(sorted(missing))} in this file.")
    return tuple(Column(text, _FORMS[text]) for text in texts)


COLUMNS = _columns()


def declared(call: Call, column: Column, form: Form) -> Outcome:
    """Return what a fault must come to at a call."""
    for name in (call.name, call.kind, ""):
        found = _DECLARED.get((column.kind, form, name))
        if found is not None:
            return found
    return "recovers" if form == "once" else "waits"


MAY_MISS = ("stale", "no-private-200", "lost-refresh")
"""Kinds that strike only what there is to strike: an older state, a page that is to be private, a refresh."""


def _table() -> Mapping[tuple[str, Form, str], Outcome]:
    """Return the outcomes that are not the rule (once: recovers, lasting: waits), by kind of fault, form and call."""
    table: dict[tuple[str, Form, str], Outcome] = {}
    # A cursor that Gmail does not know is answered by full passes, for as long as that lasts.
    table["expired-cursor", "lasting", ""] = table["404-object", "lasting", "history.list"] = "recovers"
    # What Gmail does not have any more is given up; a thread that it has again is found by the next full pass.
    for name in ("threads.get", "threads.get minimal"):
        table["404-object", "lasting", name] = "recovers"
    # The message is read anew only where the id of a file has died; next time the thread itself brings a living one.
    for kind in ("400", "401", "403-admin-block", "403-permission", "404-object", "503"):
        table[kind, "lasting", "messages.get"] = "recovers"
    # The probe is asked once, about a refusal that has passed when the thread is looked at again.
    for kind in ("400", "401", "403-permission", "404-object", "503"):
        table[kind, "lasting", "user/current, probe"] = "recovers"
    # A body that Confluence refuses once is published as the mail's bare words; a file that is too large is named.
    for kind in ("400", "413"):
        table[kind, "once", "body"] = table[kind, "once", "comment"] = "fallback"
    table["413", "once", "file"] = table["413", "lasting", "file"] = "fallback"
    # A file that may not be added to what is published already is named in the reply.
    for name in ("createAttachment, page", "createAttachment, given", "updateAttachmentData"):
        table["403-permission", "lasting", name] = "fallback"
    # A page stands without the labels and the property that are refused; that is told.
    for kind in ("400", "403-permission", "413"):
        table[kind, "once", "mark"] = table[kind, "lasting", "mark"] = "fallback"
    # What stands is not looked for any more where the look is refused; it stands all the same.
    for name in ("PageLabels", "BlogPostLabels", "PageContentProperties", "BlogpostContentProperties"):
        table["400", "lasting", f"get{name}"] = table["403-permission", "lasting", f"get{name}"] = "recovers"
    # A page that is not there when it is read back is told; it is looked at when something new comes.
    for name in ("getPageById, read back", "getBlogPostById, read back"):
        table["404-object", "lasting", name] = "recovers"
    return MappingProxyType(table)


_DECLARED = _table()
