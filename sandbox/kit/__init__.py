"""What both stand-ins are built of: requests and answers as values, routing, faults, journal, webhook delivery, HTTP serving."""
