-- A rejected draft is looked after for a day: somebody may open it again, and the delivery of that may be lost.
create index pipelines_to_look_after on pipelines (swept_at nulls first)
    where status in ('proposed', 'approved', 'committed', 'rejected');
drop index pipelines_to_sweep;
