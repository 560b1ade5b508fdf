-- Who approved a merge is whose approval stood then: what was taken back, or was no longer worth anything when the
-- decisive one came, is not named. The audit of merges from before keeps what it says.
alter table approvals drop constraint approvals_outcome_check;
alter table approvals add constraint approvals_outcome_check
    check (outcome in ('accepted', 'refused', 'withdrawn', 'lapsed')) not valid;

create function pipewright_approved_by(proposal pipelines) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(distinct a.username), '[]') from approvals a
    where a.proposal_id = proposal.id and a.outcome = 'accepted' and a.sha = proposal.commit_id
        and (proposal.opened_at is null or a.created_at >= proposal.opened_at)
        and not exists (
            select from approvals later
            where later.proposal_id = a.proposal_id and later.id > a.id and later.outcome in ('withdrawn', 'lapsed')
                and later.user_id = a.user_id and later.signal = a.signal
                and later.emoji is not distinct from a.emoji and later.note_id is not distinct from a.note_id)
$$;

create or replace function pipewright_audit_proposal() returns trigger language plpgsql as $$
begin
    insert into audit (act, project_id, project_path, conversation_id, order_id, proposal_id, merge_request_iid,
        actor_id, actor, sha, detail)
    select
        case new.status when 'committed' then 'merged' else new.status end,
        new.project_id, c.project_path, new.conversation_id, new.order_id, new.id, new.merge_request_iid,
        new.requested_by_id, new.requested_by, coalesce(new.commit_id, ''),
        case new.status
            when 'committed' then jsonb_build_object('merged_sha', new.merged_sha, 'target_branch', new.target_branch,
                'approved_by', pipewright_approved_by(new))
            else jsonb_build_object('files', pipewright_hash_of_files(new.composition),
                'source_branch', new.source_branch, 'target_branch', new.target_branch)
        end
    from conversations c where c.id = new.conversation_id;
    return null;
end;
$$;
