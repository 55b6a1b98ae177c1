"""Gradio's queue of calls by programs: bounded, and running again should it ever stop."""

import logging

import gradio as gr
from gradio.queueing import Event, Queue
from gradio.server_messages import EventMessage

MOST_WAITING = 64
AT_ONCE = 2


def bound_queue(blocks: gr.Blocks) -> None:
    """Bound the queue, and let calls also be answered directly on a Space.

    A message for a session that Gradio has dropped (it keeps 2,000) ends Gradio's queue for good;
    here it is dropped too.
    """
    blocks.queue(max_size=MOST_WAITING, default_concurrency_limit=AT_ONCE, api_open=True)
    queue: Queue = blocks._queue
    send = queue.send_message

    def send_if_known(event: Event, event_message: EventMessage) -> None:
        if event.session_hash in queue.pending_messages_per_session:
            send(event, event_message)

    queue.send_message = send_if_known  # type: ignore[method-assign]


def keep_queue(blocks: gr.Blocks) -> None:
    """Start the queue again if it has stopped while the app runs, and forget lost sessions."""
    queue: Queue = blocks._queue
    if queue.stopped and blocks.is_running:
        logging.getLogger(__name__).error("the queue had stopped and was started again")
        queue.stopped = False
        queue.start()
    sessions = queue.pending_event_ids_session
    if len(sessions) > 2 * queue.pending_messages_per_session.max_size:
        for session in sessions.keys() - queue.pending_messages_per_session.keys():
            for event in sessions.pop(session):
                queue.event_ids_to_events.pop(event, None)
