"""The pages that the service shows: where both consents end, "What is this page?", and the answer to a health check."""

from __future__ import annotations
