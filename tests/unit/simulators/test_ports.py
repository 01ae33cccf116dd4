"""Ports for processes that bind them later."""

from __future__ import annotations

from simulators.ports import free_port


def test_no_port_is_given_twice_before_it_is_bound() -> None:
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)
