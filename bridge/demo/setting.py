"""The demo's configuration file: an ordinary one, written to its own folder."""

from __future__ import annotations

from pathlib import Path

from bridge.config import Places
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT

_TEMPLATE = """\
# The configuration of mailbridge demo. It is removed with the demo's folder.
[google]
client_id = "{google}"
domains = ["example.com"]
[atlassian]
client_id = "{atlassian}"
sites = ["{site}"]
[store]
url = "sqlite:///{folder}/mailbridge.db"
[gmail]
poll_every = "1s"
poll_idle = "1s"
[web]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
[safety]
wait = "0s"
[endpoints]
google = "{site}/google"
atlassian = "{site}/atlassian"
[[routes]]
name = "engineering"
label = "Confluence/ENG"
space = "ENG"
[[routes]]
name = "people"
label = "Confluence/HR"
space = "HR"
"""


def write_config(folder: Path, *, site: str, web_port: int) -> Places:
    """Write the file; return where everything of this installation stands.

    Args:
        folder: private.
        site: where the sandbox is served.
        web_port: where the service's own page listens.
    """
    config = folder / "config.toml"
    config.write_text(
        _TEMPLATE.format(google=GOOGLE_CLIENT, atlassian=ATLASSIAN_CLIENT, site=site, port=web_port, folder=folder),
        encoding="utf-8",
    )
    return Places(config=config, state=folder, seal_key=folder / "seal_key")
