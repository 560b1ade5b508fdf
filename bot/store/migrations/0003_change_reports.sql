-- What a reply shows of a change beside its title: its diff, and what one has to know before approving it.
alter table pipelines
    add column change_diff text not null default '',
    add column change_notes text not null default '';
