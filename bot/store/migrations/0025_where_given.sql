-- A comment that approved may be deleted or edited before it is counted: where it stands says where to look again.
alter table approvals
    add column noteable_kind text,
    add column noteable_iid integer;
