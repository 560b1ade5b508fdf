"""SQL by which the end of a job in the queue wakes whoever waits for the next one of the same conversation."""

# The end of a locked job wakes nobody in procrastinate: the next one of the same conversation would wait for a poll.
WAKE_NEXT = """
create function pipewright_wake_next() returns trigger language plpgsql as $$
begin
    perform pg_notify('procrastinate_queue_v1#' || old.queue_name, '{"type": "job_inserted", "job_id": 0}');
    perform pg_notify('procrastinate_any_queue_v1', '{"type": "job_inserted", "job_id": 0}');
    return null;
end;
$$;
create trigger pipewright_wake_next_on_end after update of status on procrastinate_jobs
    for each row when (old.status = 'doing' and old.lock is not null) execute procedure pipewright_wake_next();
create trigger pipewright_wake_next_on_delete after delete on procrastinate_jobs
    for each row when (old.status = 'doing' and old.lock is not null) execute procedure pipewright_wake_next();
"""
