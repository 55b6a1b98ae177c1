"""The stub that the download tests talk to."""

import pytest

from tests.e2e.hub.downloading import ROWS
from tests.e2e.hub.stub import parquet, serving


@pytest.fixture
def hub():
    """A healthy stub with the dataset's own layout in small."""
    pytest.importorskip(
        "pyarrow", reason="pyarrow reads the mirror's files; it is in requirements.txt"
    )
    with serving({path: parquet(rows) for path, rows in ROWS.items()}) as running:
        running.files["README.md"] = b"---\nlicense: cc-by-4.0\n---\n"
        yield running
