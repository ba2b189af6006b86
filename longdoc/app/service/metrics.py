"""Counts and times of requests, for Prometheus. No label comes from what a client sends."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Metrics:
    """What is counted in one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lda_requests_total",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "lda_request_seconds",
            "Seconds until a reply was sent.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._running = Gauge("lda_requests_running", "Requests that are being answered.", registry=self._registry)
        self.jobs = Gauge("lda_jobs_open", "Jobs that have not ended.", registry=self._registry)

    def begun(self) -> None:
        """Count a request that has come."""
        self._running.inc()

    def ended(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that is answered."""
        self._running.dec()
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
