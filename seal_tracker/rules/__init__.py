"""Pure: one file a rule family; the order of rules in `catalog.RULES`; the debounce they share in `runs`."""
