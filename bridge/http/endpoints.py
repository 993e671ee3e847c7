"""The addresses of both providers."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where Google and Atlassian are; the defaults are the real ones. No address ends in a slash."""

    gmail: str = "https://gmail.googleapis.com"
    google_authorize: str = "https://accounts.google.com/o/oauth2/auth"
    google_token: str = "https://oauth2.googleapis.com/token"
    google_userinfo: str = "https://openidconnect.googleapis.com/v1/userinfo"
    google_revoke: str = "https://oauth2.googleapis.com/revoke"
    atlassian_authorize: str = "https://auth.atlassian.com/authorize"
    atlassian_token: str = "https://auth.atlassian.com/oauth/token"
    atlassian_api: str = "https://api.atlassian.com"

    @classmethod
    def of(cls, google_base: str, atlassian_base: str) -> Endpoints:
        """Return the addresses of servers that stand in for the providers.

        Args:
            google_base: everything of Google's is below it, for example ``http://127.0.0.1:8765/google``; '' for
                Google itself.
            atlassian_base: everything of Atlassian's is below it; '' for Atlassian itself.
        """
        google, atlassian = google_base.rstrip("/"), atlassian_base.rstrip("/")
        made = cls()
        if google:
            made = replace(
                made,
                gmail=google,
                google_authorize=f"{google}/o/oauth2/auth",
                google_token=f"{google}/token",
                google_userinfo=f"{google}/v1/userinfo",
                google_revoke=f"{google}/revoke",
            )
        if atlassian:
            made = replace(
                made,
                atlassian_authorize=f"{atlassian}/authorize",
                atlassian_token=f"{atlassian}/oauth/token",
                atlassian_api=atlassian,
            )
        return made
