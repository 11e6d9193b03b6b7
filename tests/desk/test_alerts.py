"""Every planted fault raises its alert, and nothing else does."""

from __future__ import annotations


def test_exactly_the_planted_faults_are_told(faulty, card):
    assert {(alert.source, alert.kind) for alert in card.alerts} == faulty.planted
