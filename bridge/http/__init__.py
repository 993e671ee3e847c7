"""What everything that talks to Google or Atlassian shares, and nothing that knows what is talked about.

========================  ==========================================================================================
``endpoints``             the addresses of both providers, or of a stand-in for them
``transport``             the two seams (a requests session, an httplib2-like object), time-outs, proxy and CA
``seams``                 what the API clients are given from above: a token source and a budget
``pauses``                how long a provider asks us to wait
``answers``               the table from an answer of Atlassian's API to an error class; lost answers; JSON bodies
``tokens``                the same table for both token endpoints
========================  ==========================================================================================
"""

from __future__ import annotations

from bridge.http.answers import atlassian_error, json_list, json_object, kept, lost
from bridge.http.endpoints import Endpoints
from bridge.http.pauses import retry_after
from bridge.http.seams import Budget, NoBudget, TokenSource
from bridge.http.tokens import token_error
from bridge.http.transport import CONNECT_SECONDS, READ_SECONDS, HttpLike, Transports, network

__all__ = [
    "CONNECT_SECONDS",
    "READ_SECONDS",
    "Budget",
    "Endpoints",
    "HttpLike",
    "NoBudget",
    "TokenSource",
    "Transports",
    "atlassian_error",
    "json_list",
    "json_object",
    "kept",
    "lost",
    "network",
    "retry_after",
    "token_error",
]
