"""Deterministic simulation: a company and two daemons in virtual time, from one seed."""
