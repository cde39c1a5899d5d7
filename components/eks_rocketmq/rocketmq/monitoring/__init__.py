"""Monitoring: monitors, alert rules and the Grafana dashboard."""
