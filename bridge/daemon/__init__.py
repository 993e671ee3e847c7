"""What runs the syncs when they are due: dispatch, the engines, reloads, signals and systemd."""
