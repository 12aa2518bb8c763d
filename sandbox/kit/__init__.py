"""What both stand-ins are built of: requests as values, routing, faults, journal, webhook delivery, HTTP serving."""
