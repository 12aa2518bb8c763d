"""The domain vocabulary: identifiers, time, errors and link records. Knows no library of the outside world."""
