"""What the tests of the app share."""

import pytest

from pneumo.models.checkpoint import available_models


@pytest.fixture(scope="session")
def networks(stand_ins):
    """Networks to read with: the bundled ones, or random ones where there are none yet."""
    patch = pytest.MonkeyPatch()
    if not available_models():
        patch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    yield
    patch.undo()
