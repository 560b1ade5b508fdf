-- Who gave an order and in which project, readable without opening the event: rates are counted from the orders themselves.
alter table orders
    add column person_id bigint generated always as ((event -> 'author' ->> 'id')::bigint) stored,
    add column project_id bigint generated always as ((event -> 'project' ->> 'id')::bigint) stored;
create index orders_by_person on orders (person_id, created_at desc);
create index orders_by_project on orders (project_id, created_at desc);

-- Whom was told until when that there is too much of something: once, not for every order.
create table limit_notices (
    key text primary key,
    order_id uuid not null references orders (id),
    until timestamptz not null
);

-- When the next note may be written: one line for all processes (a leaky bucket, as GCRA describes it).
create table budgets (
    name text primary key,
    due timestamptz not null
);

-- Whose turn it is: the place of each project's last order in the line of all projects (start-time fair queueing).
create table project_turns (
    project_id bigint primary key,
    turn integer not null,
    given_at timestamptz not null default now()
);
create index project_turns_by_turn on project_turns (turn desc);

-- The queue looks for waiting orders of the same conversation with every step; its own index begins with another column.
create index pipewright_jobs_by_lock on procrastinate_jobs (lock, priority desc, id) where status in ('todo', 'doing');
