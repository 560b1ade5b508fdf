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
