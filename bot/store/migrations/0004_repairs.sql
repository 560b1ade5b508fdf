-- What was found in each failed pipeline of a draft, and what was done about it. 'planned' is written before the commit,
-- so that a repair that was cut off is known; 'offered' waits for a person's word; 'told' changed nothing.
create table repairs (
    id bigint generated always as identity primary key,
    project_id bigint not null,
    merge_request_iid integer not null,
    conversation_id uuid not null references conversations (id),
    order_id uuid not null references orders (id),
    pipeline_id bigint not null,
    sha text not null,
    outcome text not null check (outcome in ('planned', 'repaired', 'offered', 'told')),
    fingerprints text[] not null default '{}',
    diagnoses jsonb not null,
    title text not null default '',
    diff text not null default '',
    reason text not null default '',
    new_sha text not null default '',
    created_at timestamptz not null default now()
);
create unique index repairs_by_pipeline on repairs (project_id, pipeline_id);
create index repairs_by_merge_request on repairs (project_id, merge_request_iid, id);
