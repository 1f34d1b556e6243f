"""Each kind of work has one task and one queue, and wakes can be kept instead of sent."""

from labinterp import jobs


def test_each_kind_of_work_has_a_task_and_a_queue_of_its_own():
    assert set(jobs.TASKS) == set(jobs.QUEUES) == {"report", "delivery", "notice", "background"}
    assert len(set(jobs.TASKS.values())) == len(set(jobs.QUEUES.values())) == 4


def test_wakes_are_kept_in_order():
    queue = jobs.InlineQueue()
    queue.wake("report")
    queue.wake("delivery")
    queue.wake("report")
    assert queue.wakes == ["report", "delivery", "report"]
    assert queue.waiting("report") == 2


def test_a_worker_waits_for_its_broker_and_a_request_does_not():
    waiting = jobs.transport_options(socket_timeout=2, visibility_timeout=900, retries=None)
    asking = jobs.transport_options(socket_timeout=2, visibility_timeout=900, retries=0)
    assert "max_retries" not in waiting
    assert asking["max_retries"] == 0
    assert asking["socket_timeout"] == asking["socket_connect_timeout"] == 2


def test_a_broker_that_cannot_be_named_is_a_wake_that_did_not_leave():
    queue = jobs.CeleryQueue("nonsense://nowhere")
    assert queue.wake("report") is False
    assert queue.waiting("report") is None
