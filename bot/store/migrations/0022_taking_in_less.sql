-- While a delivery is taken in GitLab waits for its answer, and all deliveries behind it: what can be done later is.

-- As 0018 says, but that jobs are stored as procrastinate's own function would, without making an array of them for it,
-- and that `projects`, of which there are as many as arrivals, need not be read out of these.
create function pipewright_take_in(projects bigint[], arrivals json, queue text, task text)
returns table (order_id uuid, conversation_id uuid)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    perform pg_advisory_xact_lock(project) from (select distinct project from unnest(projects) project order by 1) p;
    return query
    with arrived as materialized (
        select * from json_to_recordset(arrivals) as one (
            number integer, key text, order_id uuid, event jsonb, kind text, project_id bigint, conversation_id uuid,
            noteable text, iid integer, path text, title text, confidential boolean, asker text)),
    delivered as (
        insert into deliveries (key, order_id) select key, order_id from arrived order by number
        on conflict do nothing returning order_id),
    fresh as materialized (select arrived.* from arrived join delivered using (order_id)),
    sought as materialized (
        select project_id, noteable as kind, iid, bool_or(confidential) as confidential,
            (array_agg(path order by number desc))[1] as path, (array_agg(title order by number))[1] as title,
            (array_agg(asker order by number))[1] as asker, (array_agg(conversation_id order by number))[1] as new_id,
            (select known.conversation_id from conversation_noteables known where
                (known.project_id, known.kind, known.iid) = (fresh.project_id, fresh.noteable, fresh.iid)) as known_id
        from fresh where noteable is not null group by project_id, noteable, iid),
    opened as (
        insert into conversation_noteables as held (project_id, kind, iid, conversation_id)
        select project_id, kind, iid, new_id from sought where known_id is null
        on conflict (project_id, kind, iid) do update set iid = held.iid  -- another's draft was opened just now
        returning project_id, kind, iid, conversation_id),
    made as (
        insert into conversations (id, project_id, project_path, title, is_confidential, asked_by)
        select new_id, project_id, path, title, confidential, asker from sought
        where new_id in (select conversation_id from opened)),
    changed as materialized (
        select known_id, path, confidential from sought where (
            select project_path <> sought.path or (sought.confidential and not is_confidential)
            from conversations where id = known_id)),
    followed as (
        update conversations set
            project_path = (select path from changed where known_id = id),
            is_confidential = is_confidential or (select confidential from changed where known_id = id),
            updated_at = now()
        where id = any(array(select known_id from changed))),
    reached as materialized (
        select coalesce(pipewright_turn_reached(), (select turn from project_turns order by turn desc limit 1), 0) as turn),
    turned as (
        insert into project_turns (project_id, turn)
        select project_id, count(*) + greatest((select turn from reached),
            (select turn from project_turns own where own.project_id = fresh.project_id))
        from fresh group by project_id
        on conflict (project_id) do update set turn = excluded.turn, given_at = now()
        returning project_id, turn as last_turn),
    places as (
        select project_id, kind, iid, known_id as conversation_id from sought where known_id is not null
        union all select * from opened),
    placed as materialized (
        select number, order_id, key, event, fresh.kind, coalesce(places.conversation_id, fresh.conversation_id) as place,
            last_turn - row_number() over (partition by fresh.project_id order by number desc) + 1 as turn
        from fresh join turned using (project_id) left join places
            on (places.project_id, places.kind, places.iid) = (fresh.project_id, fresh.noteable, fresh.iid)),
    ordered as (
        insert into orders (id, delivery_key, conversation_id, event, kind, created_at)
        select order_id, key, place, event, kind,
            (select clock_timestamp()) + number * interval '1 microsecond' from placed order by number),
    moved as (
        update conversations set updated_at = now() where id = any(array(
            select place from placed where kind in ('mention', 'chat', 'decision')
            and place not in (select known_id from changed))) and coalesce(updated_at < now(), true)),
    queued as (
        insert into procrastinate_jobs (queue_name, task_name, priority, lock, args)
        select queue, task, -turn, place::text, jsonb_build_object('order_id', order_id) from placed order by number)
    select order_id, place from placed;
end;
$$;

-- As an older version calls it, which may be at work beside this one.
create or replace function pipewright_take_in(arrivals json, queue text, task text)
returns table (order_id uuid, conversation_id uuid) language sql as $$
    select * from pipewright_take_in(
        array(select (one ->> 'project_id')::bigint from json_array_elements(arrivals) one), arrivals, queue, task)
$$;

-- What an order says is found from when work on it begins (or it ends without any); of what is opened title, path and
-- asker at once.
create or replace function pipewright_words_of_order() returns trigger language plpgsql as $$
begin
    perform pipewright_remember_words(new.conversation_id, coalesce(new.event ->> 'text', ''));
    return null;
end;
$$;
drop trigger words_of_order on orders;
create trigger words_of_order after update of state on orders
    for each row when (old.state = 'queued' and new.state <> 'queued'
        and new.conversation_id is not null and new.kind in ('mention', 'chat', 'decision'))
    execute procedure pipewright_words_of_order();

-- Only what is opened gets its words for many at once now, and it has none yet. Whoever opens one meanwhile shall not
-- look for what is dropped here.
lock table conversations in share row exclusive mode;
create or replace function pipewright_words_of_conversations() returns trigger language plpgsql as $$
begin
    insert into conversation_words (conversation_id, words)
    select id, pipewright_words(concat_ws(' ', title, project_path, asked_by)) from added;
    return null;
end;
$$;
drop function pipewright_remember_all_words(uuid[], text[]);
drop function pipewright_texts(uuid[], text[]);

-- That a job came is written nowhere but in the job: procrastinate looks for the last event of one that ended.
drop trigger procrastinate_trigger_status_events_insert_v1 on procrastinate_jobs;
drop function procrastinate_trigger_function_status_events_insert_v1();
