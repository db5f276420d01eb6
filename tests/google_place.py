"""The simulator in Google's place: the variables that point the product at it."""

from google_simulator.control import SimulatorControl
from sophiie.ops.demo import simulator_variables


def variables_of(google: SimulatorControl) -> dict[str, str]:
    """The environment of a product whose Google is this simulator."""
    return simulator_variables(
        google.base_url, client_id=google.client_id, client_secret=google.client_secret
    )
