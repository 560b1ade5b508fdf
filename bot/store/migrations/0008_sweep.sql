-- What no webhook brought is looked for: each thing by one worker at a time, the older the more seldom.
create table sweeps (
    name text primary key,
    swept_at timestamptz not null default now()
);
alter table pipelines
    add column opened_at timestamptz,
    add column swept_at timestamptz;
create index pipelines_to_sweep on pipelines (swept_at nulls first)
    where status in ('proposed', 'approved', 'committed');
