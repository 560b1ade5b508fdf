-- An approval counts while it stands: which reaction it was, and on which note, says where to look again.
alter table approvals
    add column order_id uuid references orders (id),
    add column emoji text,
    add column note_id bigint;
create unique index approvals_by_order on approvals (order_id, outcome);

-- Who asked, what was proposed, who approved by which signal, what was merged. Triggers write it, so that no path
-- through the program can forget to; nothing can change it afterwards.
create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    act text not null,
    project_id bigint not null,
    project_path text not null,
    conversation_id uuid,
    order_id uuid,
    proposal_id uuid,
    merge_request_iid integer,
    actor_id bigint,
    actor text not null default '',
    signal text not null default '',
    sha text not null default '',
    detail jsonb not null default '{}'
);
create index audit_by_time on audit (at, id);

create function pipewright_audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit is append-only';
end;
$$;
create trigger audit_is_append_only before update or delete or truncate on audit
    for each statement execute procedure pipewright_audit_is_append_only();

create function pipewright_hash_of_files(composition jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_object_agg(key, 'sha256:' || encode(sha256(convert_to(value, 'UTF8')), 'hex')), '{}')
    from jsonb_each_text(coalesce(composition -> 'files', '{}'))
$$;

create function pipewright_audit_order() returns trigger language plpgsql as $$
begin
    if new.kind = 'mention' then
        insert into audit (act, project_id, project_path, conversation_id, order_id, actor_id, actor, detail)
        select
            'asked', c.project_id, c.project_path, c.id, new.id, (new.event -> 'author' ->> 'id')::bigint,
            coalesce(new.event -> 'author' ->> 'username', ''),
            jsonb_build_object('noteable', new.event -> 'noteable', 'note_id', new.event -> 'note_id',
                'text_hash', 'sha256:' || encode(sha256(convert_to(new.event ->> 'text', 'UTF8')), 'hex'))
        from conversations c where c.id = new.conversation_id;
    end if;
    return null;
end;
$$;
create trigger audit_order after insert on orders for each row execute procedure pipewright_audit_order();

create function pipewright_audit_proposal() returns trigger language plpgsql as $$
begin
    insert into audit (act, project_id, project_path, conversation_id, order_id, proposal_id, merge_request_iid,
        actor_id, actor, sha, detail)
    select
        case new.status when 'committed' then 'merged' else new.status end,
        new.project_id, c.project_path, new.conversation_id, new.order_id, new.id, new.merge_request_iid,
        new.requested_by_id, new.requested_by, coalesce(new.commit_id, ''),
        case new.status
            when 'committed' then jsonb_build_object('merged_sha', new.merged_sha, 'target_branch', new.target_branch,
                'approved_by', (select coalesce(jsonb_agg(distinct a.username), '[]') from approvals a
                    where a.proposal_id = new.id and a.outcome = 'accepted' and a.sha = new.commit_id))
            else jsonb_build_object('files', pipewright_hash_of_files(new.composition),
                'source_branch', new.source_branch, 'target_branch', new.target_branch)
        end
    from conversations c where c.id = new.conversation_id;
    return null;
end;
$$;
create trigger audit_proposal after update of status on pipelines
    for each row when (old.status is distinct from new.status and new.status <> 'generated')
    execute procedure pipewright_audit_proposal();

create function pipewright_audit_approval() returns trigger language plpgsql as $$
begin
    insert into audit (act, project_id, project_path, conversation_id, order_id, proposal_id, merge_request_iid,
        actor_id, actor, signal, sha, detail)
    select
        'approval ' || new.outcome, p.project_id, c.project_path, p.conversation_id, new.order_id, p.id,
        p.merge_request_iid, new.user_id, new.username, new.signal, new.sha,
        jsonb_strip_nulls(jsonb_build_object('reason', nullif(new.reason, ''), 'emoji', new.emoji,
            'note_id', new.note_id))
    from pipelines p join conversations c on c.id = p.conversation_id where p.id = new.proposal_id;
    return null;
end;
$$;
create trigger audit_approval after insert on approvals for each row execute procedure pipewright_audit_approval();
