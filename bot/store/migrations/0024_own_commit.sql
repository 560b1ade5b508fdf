-- Whoever names a commit that a person pushed approves that one, and it is merged or not; ours stays the proposed one.
alter table pipelines add column own_commit_id text;
