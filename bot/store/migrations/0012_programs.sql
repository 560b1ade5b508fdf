-- What programs are answered: a write that carries an Idempotency-Key is done once, and answered the same way again.
create table answered_requests (
    person_id bigint not null,
    key text not null,
    request_hash bytea not null,
    status integer,
    answer jsonb,
    created_at timestamptz not null default now(),
    primary key (person_id, key)
);

-- Files may be committed some time after they were composed: on top of exactly the commit that was read.
alter table pipelines add column base_sha text not null default '';

-- Conversations with these words, by the index of words alone: without it PostgreSQL thinks that the beginning of a word
-- is common, and walks through every conversation when it is rare.
create function pipewright_hits(query tsquery, most integer) returns setof uuid
language sql stable set enable_seqscan = off as $$
    select conversation_id from conversation_words where words @@ query limit most
$$;
