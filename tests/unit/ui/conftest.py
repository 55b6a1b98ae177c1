"""One store of images for all tests of the page, so that its networks are loaded once."""

import pytest

from pneumo.ui.store import ImageStore


@pytest.fixture(scope="session")
def store() -> ImageStore:
    return ImageStore()
