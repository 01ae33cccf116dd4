"""One fake for each port; the contract suites keep them honest."""
