-- Takes many events in by one statement, for what a statement costs is paid for all of them then; without a transaction
-- around it, it is its own. `arrivals` is an array of objects, read as below; answered are those that are new.
--
-- Whoever takes in for a project lets nobody else until COMMIT, all in the same order so that two never wait crosswise:
-- two first mentions open one conversation, turns only grow. Plans are kept, also those of the checks of foreign keys;
-- one made while the queue was empty would read all that waits for each order, so tables are only looked into by
-- indexes, and by subqueries instead of joins. now() is the same for all of a transaction, and rates are counted in the
-- order of taking in. Conversations that once were confidential stay so; projects are renamed, moved, and keep their ids.
--
-- Turns: start-time fair queueing (Goyal, Vin, Cheng 1996, doi.org/10.1145/248156.248171). An order's turn comes after
-- its project's last one, but never before the turn that is reached now: that of the first waiting order or, when nobody
-- waits, as far as the line ever was.
create function pipewright_take_in(arrivals json, queue text, task text)
returns table (order_id uuid, conversation_id uuid)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    perform pg_advisory_xact_lock(project) from (
        select distinct (one ->> 'project_id')::bigint as project from json_array_elements(arrivals) one order by 1) p;
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
            is_confidential = is_confidential or (select confidential from changed where known_id = id)
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
    queued as materialized (
        select procrastinate_defer_jobs_v1(array_agg(row(queue, task, -turn, place::text, null,
            jsonb_build_object('order_id', order_id), null)::procrastinate_job_to_defer_v1 order by number)) from placed)
    select order_id, place from placed, queued;
end;
$$;
