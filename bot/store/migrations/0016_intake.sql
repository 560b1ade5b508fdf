-- How far the line of all projects has come: the first waiting order's turn. A bitmap and a sort would look cheaper when
-- nobody waited at the last ANALYZE, and would then read every waiting order for each new one.
create function pipewright_turn_reached() returns integer language plpgsql stable set enable_sort = off as $$
begin
    return (select -priority from procrastinate_jobs
        where status = 'todo' and (scheduled_at is null or scheduled_at <= now()) order by priority desc limit 1);
end;
$$;

-- A handler of exceptions costs a subtransaction each time, and orders share transactions. A tsvector holds one megabyte,
-- a word two kilobytes and one text eighty of them, so what has fewer than 300 words cannot come to that limit.
create or replace function pipewright_remember_words(conversation uuid, content text) returns void language plpgsql as $$
declare
    said tsvector := pipewright_words(content);
begin
    if (select length(words) >= 300 from conversation_words where conversation_id = conversation) then
        perform pipewright_remember_more_words(conversation, said);
        return;
    end if;
    insert into conversation_words as w (conversation_id, words) values (conversation, said)
    on conflict (conversation_id) do update set words = w.words || excluded.words;
end;
$$;

create function pipewright_remember_more_words(conversation uuid, said tsvector) returns void language plpgsql as $$
begin
    update conversation_words set words = words || said
    where conversation_id = conversation and length(words) < 10000;
exception when program_limit_exceeded then
    null;
end;
$$;

-- What was opened in this transaction has its time already.
create or replace function pipewright_words_of_order() returns trigger language plpgsql as $$
begin
    perform pipewright_remember_words(new.conversation_id, coalesce(new.event ->> 'text', ''));
    update conversations set updated_at = now() where id = new.conversation_id and updated_at < now();
    return null;
end;
$$;

-- Workers are woken by any notice and look for themselves; alike ones are sent once for all orders of a transaction.
create or replace function procrastinate_notify_queue_job_inserted_v1() returns trigger language plpgsql as $$
begin
    perform pg_notify('procrastinate_queue_v1#' || new.queue_name, '{"type": "job_inserted", "job_id": 0}');
    perform pg_notify('procrastinate_any_queue_v1', '{"type": "job_inserted", "job_id": 0}');
    return new;
end;
$$;
