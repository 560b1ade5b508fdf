-- Who is signed in. The cookie's value is stored as a hash only, and the tokens are sealed with a key that is made of
-- that value and a setting: neither this table, nor it together with the settings, lets anybody act as somebody.
drop table user_sessions;
create table user_sessions (
    id_hash bytea primary key,
    user_id bigint not null,
    username text not null,
    sealed bytea not null,
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now()
);
create index user_sessions_by_seen on user_sessions (seen_at);
create index user_sessions_by_created on user_sessions (created_at);
