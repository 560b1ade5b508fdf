-- The templates of the organisation's project as they were when last read, for when GitLab cannot be asked.
create table template_snapshots (
    project_path text primary key,
    commit_sha text not null,
    texts jsonb not null,
    read_at timestamptz not null default now()
);

-- Pipelines that were merged and went green, one for a project: what its top-level group can learn from.
create table examples (
    project_id bigint primary key,
    project_path text not null,
    top_group text not null,
    visibility text not null,
    commit_sha text not null,
    gitlab_ci text not null,
    about text not null,
    learned_at timestamptz not null default now()
);
create index examples_by_group on examples (top_group, learned_at desc);
