"""The carriers, by the name that an environment has."""

from importlib import import_module

from lines.gateways.base import Accepted, Gateway, OutgoingMessage, PermanentFailure, TemporaryFailure

CARRIERS = {
    "linq": "lines.gateways.linq.LinqGateway",
    "sandbox": "lines.gateways.sandbox.SandboxGateway",
}


def for_environment(environment):
    """The gateway of an environment; PermanentFailure where its carrier is not set up."""
    if environment.carrier not in CARRIERS:
        raise PermanentFailure(f"{environment} has no working carrier")
    module, name = CARRIERS[environment.carrier].rsplit(".", 1)
    return getattr(import_module(module), name)(environment)


__all__ = [
    "Accepted",
    "Gateway",
    "OutgoingMessage",
    "PermanentFailure",
    "TemporaryFailure",
    "for_environment",
]
