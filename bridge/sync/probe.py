"""What a refused credential means: Confluence answers alike where a connection ended and where an object is hidden."""

from __future__ import annotations

from bridge.confluence import Confluence
from bridge.errors import CredentialRefused, NeedsConsent, PersonMustAct, RemoteError


def probed(error: RemoteError, client: Confluence) -> RemoteError:
    """Return what an error of Confluence really says, after a look at whether the connection works at all.

    Args:
        error: any error; all but a refused credential of Confluence are returned as they are.
        client: of the person whose credential it is.
    """
    if not isinstance(error, CredentialRefused) or error.provider != "atlassian":
        return error
    try:
        client.current_user()
    except (NeedsConsent, CredentialRefused):
        return NeedsConsent(
            "Confluence does not accept the connection any more. Connect Confluence again.",
            provider="atlassian",
            answer=error.answer,
            reason="refused",
        )
    except RemoteError as other:
        return other
    return PersonMustAct(
        "Confluence refused this although the connection works. Check whether you may still see the page.",
        provider="atlassian",
        answer=error.answer,
    )
