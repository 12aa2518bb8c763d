"""What every process needs to run: the log (Kafka), the database, HTTP for health and metrics, settings, logs,
lifecycle.
"""
