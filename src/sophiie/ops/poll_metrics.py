"""Prometheus metrics of polls, stored copies and push channels, none about a single member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sophiie.sync.reports.poll_totals import PollTotals, poll_totals
from sophiie.sync.reports.units import Usage, usage


def poll_metrics() -> CollectorRegistry:
    """Polls, copies and channels according to the database, the same from every process."""
    registry = CollectorRegistry()
    registry.register(_Polls(poll_totals()))
    registry.register(_Units(usage()))
    return registry


class _Polls(Collector):
    def __init__(self, totals: PollTotals) -> None:
        self._totals = totals

    def collect(self) -> Iterator[Metric]:
        totals = self._totals
        yield _counter(
            "sophiie_readings",
            "Readings of one calendar, by outcome",
            "outcome",
            {outcome.value: readings.times for outcome, readings in totals.polls.items()},
        )
        yield _counter(
            "sophiie_readings_seconds",
            "How long those took, all together",
            "outcome",
            {outcome.value: readings.seconds for outcome, readings in totals.polls.items()},
        )
        yield _counter(
            "sophiie_notifications",
            "Messages of Google's that named one of our channels",
            "outcome",
            {what.name.lower(): times for what, times in totals.notifications.items()},
        )
        yield _counter(
            "sophiie_changes_not_announced",
            "Changes that a poll found under a channel that should have reported them",
            "how",
            {what.name.lower(): times for what, times in totals.surprises.items()},
        )
        yield _gauge(
            "sophiie_busy_calendars",
            "Copies of calendars, by what a booking may make of them",
            "state",
            {"fresh": totals.fresh, "stale": totals.stale, "unreadable": totals.unreadable},
        )
        yield GaugeMetricFamily(
            "sophiie_oldest_copy_seconds",
            "Age of the oldest copy of a calendar that can be read",
            value=totals.oldest_seconds,
        )
        yield _gauge(
            "sophiie_push_channels",
            "Channels for notifications, or calendars without one",
            "state",
            {
                "active": totals.channels_active,
                "expiring": totals.channels_expiring,
                "refused": totals.channels_refused,
                "none": totals.channels_none,
            },
        )


class _Units(Collector):
    def __init__(self, used: Usage) -> None:
        self._used = used

    def collect(self) -> Iterator[Metric]:
        used = self._used
        yield _gauge(
            "sophiie_google_units_today",
            "Units of the day of Google's quotas, by what they were used for",
            "use",
            {use.value: units for use, units in used.today.items()},
        )
        yield GaugeMetricFamily(
            "sophiie_google_units_fullest_minute",
            "Units used in the fullest minute of the last hour",
            value=used.minute.used,
        )
        yield GaugeMetricFamily(
            "sophiie_google_units_most_of_a_link",
            "Units of the day that the link used which used most",
            value=used.most_of_a_link,
        )
        yield _gauge(
            "sophiie_google_units_limit",
            "Units that Google allows the project",
            "span",
            {part.span.value: part.limit for part in (used.day, used.minute)},
        )


def _counter(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _gauge(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
