"""The client: every topic in one object."""

from __future__ import annotations

from bridge.confluence.comments import Comments
from bridge.confluence.contents import Contents
from bridge.confluence.files import Files
from bridge.confluence.restrictions import Restrictions
from bridge.confluence.spaces import Spaces


class Confluence(Spaces, Contents, Comments, Files, Restrictions):
    """One person on one site. Version 2 of the REST API, version 1 where that lacks a call.

    Every method raises a ``RemoteError`` where it does not return: ``Temporary`` (``maybe_applied`` says whether a
    write may have taken effect all the same), ``RateLimited``, ``NeedsConsent``, ``CredentialRefused``,
    ``PersonMustAct``, ``Refused``, and what else is named with it. Nothing is retried but after a refresh.
    """
