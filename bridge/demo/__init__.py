"""The demo: the sandbox, the daemon and sample mail, with one command."""
