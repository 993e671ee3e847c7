"""Local servers that behave like Google and Atlassian, for the demo, the tests and the simulator."""
