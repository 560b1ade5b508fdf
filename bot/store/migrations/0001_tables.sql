create table conversations (
    id uuid primary key default gen_random_uuid(),
    project_id bigint not null,
    project_path text not null,
    title text not null default '',
    is_confidential boolean not null default false,
    asked_by text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index conversations_by_time on conversations (updated_at desc, id desc);

create table conversation_noteables (
    project_id bigint not null,
    kind text not null check (kind in ('issue', 'merge_request')),
    iid integer not null,
    conversation_id uuid not null references conversations (id),
    primary key (project_id, kind, iid)
);
create index conversation_noteables_by_conversation on conversation_noteables (conversation_id);

create table orders (
    id uuid primary key default gen_random_uuid(),
    delivery_key text not null,
    conversation_id uuid references conversations (id),
    event jsonb not null,
    kind text not null,
    state text not null default 'queued'
        check (state in ('queued', 'running', 'done', 'skipped', 'refused', 'broken')),
    result text not null default '',
    reply_note_id bigint,
    attempts integer not null default 0,
    error_id text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz
);
create index orders_by_conversation on orders (conversation_id, created_at);

create table deliveries (
    key text primary key,
    received_at timestamptz not null default now(),
    order_id uuid references orders (id)
);

create table messages (
    id bigint generated always as identity primary key,
    conversation_id uuid not null references conversations (id),
    order_id uuid references orders (id),
    role text not null check (role in ('user', 'assistant', 'tool')),
    content text not null,
    tool_calls jsonb,
    tool_name text,
    author text,
    created_at timestamptz not null default now()
);
create index messages_by_conversation on messages (conversation_id, id);

-- A row is a proposal: the files of one draft merge request and how far it has come.
create table pipelines (
    id uuid primary key default gen_random_uuid(),
    conversation_id uuid not null references conversations (id),
    order_id uuid references orders (id),
    repo_url text not null,
    dockerfile text,
    gitlab_ci text,
    status text not null default 'generated' check (status in
        ('generated', 'proposed', 'approved', 'committed', 'superseded', 'rejected', 'failed')),
    commit_id text,
    project_id bigint not null,
    target_branch text not null,
    source_branch text not null,
    merge_request_iid integer,
    note_id bigint,
    note_kind text,
    note_iid integer,
    introduction text not null default '',
    is_internal boolean not null default false,
    requested_by_id bigint not null,
    requested_by text not null,
    survey jsonb not null,
    composition jsonb not null,
    pipeline_id bigint,
    pipeline_status text,
    merged_sha text,
    after_merge_pipeline_id bigint,
    after_merge_status text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index pipelines_by_conversation on pipelines (conversation_id, created_at);
create index pipelines_by_merge_request on pipelines (project_id, merge_request_iid);
create index pipelines_by_commit on pipelines (project_id, commit_id);
create index pipelines_by_merged_sha on pipelines (project_id, merged_sha);
create unique index pipelines_by_order on pipelines (order_id);

create table approvals (
    id bigint generated always as identity primary key,
    proposal_id uuid not null references pipelines (id),
    user_id bigint not null,
    username text not null,
    signal text not null,
    sha text not null,
    outcome text not null check (outcome in ('accepted', 'refused', 'withdrawn')),
    reason text not null default '',
    created_at timestamptz not null default now()
);
create index approvals_by_proposal on approvals (proposal_id, id);

create table user_sessions (
    id text primary key,
    user_id bigint not null,
    username text not null,
    data jsonb not null default '{}',
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
