"""Grafana dashboards and Prometheus rules, built from the definitions in `ffrtmp_ray.metrics`."""
