-- Lists and search stay fast however much was said: what a list shows of the newest draft lies with the conversation,
-- and the words of a conversation lie beside it, searched by PostgreSQL's own index (no extension). Triggers keep both.
alter table conversations
    add column status text not null default 'none',
    add column pipeline_status text,
    add column merge_request_iid integer;
create index conversations_by_project on conversations (project_id, updated_at desc, id desc);
create index conversations_by_path on conversations (project_path, updated_at desc, id desc);
create index conversations_by_asker on conversations (asked_by, updated_at desc, id desc);
create index conversations_by_status on conversations (status, updated_at desc, id desc);
create index pipelines_by_time on pipelines (updated_at desc, id desc);
create index pipelines_by_project on pipelines (project_id, updated_at desc, id desc);
create index pipelines_by_status on pipelines (status, updated_at desc, id desc);
create index orders_by_delivery on orders (delivery_key);
create index orders_unfinished on orders (created_at) where state in ('queued', 'running');
create index repairs_by_conversation on repairs (conversation_id);

create table conversation_words (
    conversation_id uuid primary key references conversations (id) on delete cascade,
    words tsvector not null
);
create index conversation_words_index on conversation_words using gin (words);

-- Paths and names are found by their parts; positions, which only ranking needs, are not kept.
create function pipewright_words(content text) returns tsvector language sql immutable as $$
    select strip(to_tsvector('simple'::regconfig, translate(left(content, 20000),
        './\_-:;,#@&<>=+*"''()[]{}|!?`~$%^', '                                        ')))
$$;

-- At most about ten thousand different words of a conversation are found again; a tsvector holds one megabyte, and
-- whatever search cannot hold must still be stored.
create function pipewright_remember_words(conversation uuid, content text) returns void language plpgsql as $$
begin
    insert into conversation_words as w (conversation_id, words) values (conversation, pipewright_words(content))
    on conflict (conversation_id) do update set words = w.words || excluded.words where length(w.words) < 10000;
exception when program_limit_exceeded then
    null;
end;
$$;

create function pipewright_words_of_conversation() returns trigger language plpgsql as $$
begin
    perform pipewright_remember_words(new.id, concat_ws(' ', new.title, new.project_path, new.asked_by));
    return null;
end;
$$;
create trigger words_of_conversation after insert or update of title, project_path on conversations
    for each row execute procedure pipewright_words_of_conversation();

-- What tools answered is not searched: files and logs would drown what people and the bot said.
create function pipewright_words_of_message() returns trigger language plpgsql as $$
begin
    perform pipewright_remember_words(new.conversation_id, new.content);
    return null;
end;
$$;
create trigger words_of_message after insert on messages
    for each row when (new.role <> 'tool') execute procedure pipewright_words_of_message();

create function pipewright_words_of_order() returns trigger language plpgsql as $$
begin
    perform pipewright_remember_words(new.conversation_id, coalesce(new.event ->> 'text', ''));
    update conversations set updated_at = now() where id = new.conversation_id;
    return null;
end;
$$;
create trigger words_of_order after insert on orders
    for each row when (new.conversation_id is not null and new.kind in ('mention', 'chat', 'decision'))
    execute procedure pipewright_words_of_order();

-- Only the newest draft counts; a later state of an older one changes nothing in the list.
create function pipewright_newest_proposal() returns trigger language plpgsql as $$
begin
    update conversations c set status = new.status, merge_request_iid = new.merge_request_iid,
        pipeline_status = coalesce(new.after_merge_status, new.pipeline_status), updated_at = now()
    where c.id = new.conversation_id and not exists (
        select from pipelines p where p.conversation_id = new.conversation_id and p.created_at > new.created_at);
    return null;
end;
$$;
create trigger newest_proposal
    after insert or update of status, merge_request_iid, pipeline_status, after_merge_status on pipelines
    for each row execute procedure pipewright_newest_proposal();

update conversations c set status = p.status, merge_request_iid = p.merge_request_iid,
    pipeline_status = coalesce(p.after_merge_status, p.pipeline_status)
from (select distinct on (conversation_id) * from pipelines order by conversation_id, created_at desc) p
where p.conversation_id = c.id;

-- To read all that was ever said takes minutes, in which nobody could work: it is collected afterwards, one by one.
create table words_to_collect (conversation_id uuid primary key);
insert into words_to_collect select id from conversations;
