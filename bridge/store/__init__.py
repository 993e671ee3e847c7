"""The tables, the queries on them (a file for each group), and the only file that commits a write's state."""
