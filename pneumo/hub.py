"""The errors of the Hugging Face Hub's client as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

AGAIN = "Run the same command again: it continues where it stopped."


class HubError(RuntimeError):
    """Something could not be fetched or published; the message says why and what to do."""


@contextmanager
def explained(what: str, advice: str) -> Iterator[None]:
    """Turns what the Hub's client, the network and the disk raise while `what` is fetched or
    published into a `HubError`; `advice` is for when the Hub answers, but not with it."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    # Of the HTTP library that the client uses.
    http_error = cast(type[Exception], HfHubHTTPError.__mro__[1])
    host = constants.ENDPOINT
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise HubError(f"Unset HF_HUB_OFFLINE: {host} is needed for {what}.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        busy = status in (408, 429) or status >= 500
        raise HubError(f"{host} refuses {what} ({status}). {AGAIN if busy else advice}") from error
    except (http_error, LocalEntryNotFoundError, ConnectionError, TimeoutError) as error:
        if constants.HF_HUB_OFFLINE:
            raise HubError(f"Unset HF_HUB_OFFLINE: {what} is not on this computer yet.") from error
        raise HubError(
            f"{host} cannot be reached for {what}. Check the network connection, HTTPS_PROXY if "
            f"there is a proxy, and HF_ENDPOINT if it is set. {AGAIN}"
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise HubError(f"{host} does not answer as the Hub does. {advice}") from error
    except OSError as error:
        where = error.filename or "What was fetched"
        raise HubError(
            f"{where} cannot be written or read ({error.strerror or error}). Make room, or choose "
            f"another folder. {AGAIN}"
        ) from error
