-- Collects what was said in a conversation before there were words to search, and answers with which one it was; null
-- when none is left after `last`. What was said since stays. Only one conversation's words are held at a time, so that
-- nobody waits long, or crosswise.
create table if not exists words_to_collect (conversation_id uuid primary key);

create function pipewright_collect_words(last uuid) returns uuid language plpgsql as $$
declare
    found uuid;
begin
    delete from words_to_collect where conversation_id = (
        select conversation_id from words_to_collect where conversation_id > last
        order by conversation_id limit 1 for update skip locked)
    returning conversation_id into found;
    perform pipewright_remember_words(c.id, concat_ws(' ', c.title, c.project_path, c.asked_by,
        (select left(string_agg(left(o.event ->> 'text', 2000), ' '), 10000) from orders o
            where o.conversation_id = c.id and o.kind in ('mention', 'chat')),
        (select left(string_agg(left(m.content, 2000), ' '), 10000) from messages m
            where m.conversation_id = c.id and m.role <> 'tool')))
    from conversations c where c.id = found;
    return found;
end;
$$;
