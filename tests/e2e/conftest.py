"""The running app that the README's examples ask; shared with the security tests."""

from tests.security.conftest import dicom, film, server

__all__ = ["dicom", "film", "server"]
