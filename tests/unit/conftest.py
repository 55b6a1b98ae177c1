"""What the tests of the app and of its report share."""

import pytest

from pneumo.models.checkpoint import available_models
from pneumo.models.networks import network_names


@pytest.fixture(scope="session")
def networks(stand_ins):
    """Networks to read with: the bundled ones, or random ones where one of them is missing."""
    patch = pytest.MonkeyPatch()
    if set(available_models()) != set(network_names()):
        patch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    yield
    patch.undo()
