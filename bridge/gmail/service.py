"""The Gmail API's methods, built once a process from the discovery document that the client library carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from googleapiclient.discovery import build

from bridge.http import Endpoints, HttpLike

if TYPE_CHECKING:
    from googleapiclient._apis.gmail.v1.resources import GmailResource
    from httplib2 import Http


@dataclass(frozen=True, slots=True)
class GmailService:
    """The collections of the API, made once: making one for each call costs twenty times the call's own share.

    It holds no credentials and no connection, and all threads may share it: each request is sent through the Http
    that it is executed with.
    """

    users: GmailResource.UsersResource
    labels: GmailResource.UsersResource.LabelsResource
    threads: GmailResource.UsersResource.ThreadsResource
    messages: GmailResource.UsersResource.MessagesResource
    attachments: GmailResource.UsersResource.MessagesResource.AttachmentsResource
    history: GmailResource.UsersResource.HistoryResource


def build_service(endpoints: Endpoints, http: HttpLike) -> GmailService:
    """Build the service; sends nothing.

    Args:
        endpoints: where Gmail is; a prefix in the address is kept.
        http: what the library wants to hold; no request goes through it.
    """
    resource: GmailResource = build(
        "gmail",
        "v1",
        http=cast("Http", http),
        client_options={"api_endpoint": endpoints.gmail},
        cache_discovery=False,
        static_discovery=True,
    )
    users = resource.users()
    messages = users.messages()
    return GmailService(
        users=users,
        labels=users.labels(),
        threads=users.threads(),
        messages=messages,
        attachments=messages.attachments(),
        history=users.history(),
    )
