"""Metrics, alerts and the Grafana dashboard."""
