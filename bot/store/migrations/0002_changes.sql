-- A change of an open draft is a proposal too: it says what was changed, and which state undoing it goes back to.
-- One order may change a draft several times; `change_key` tells its changes apart ('' is what it generated).
alter table pipelines
    add column before_id uuid references pipelines (id),
    add column change_key text not null default '',
    add column change_title text not null default '',
    add column change_why text not null default '';
drop index pipelines_by_order;
create unique index pipelines_by_order on pipelines (order_id, change_key);
