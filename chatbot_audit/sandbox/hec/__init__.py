"""The HTTP Event Collector of Splunk: both ends of it, and the events between."""
