-- Words that a conversation has already are not written again: most orders say what was said before, and a new version
-- of a row is written to all its indexes.
create or replace function pipewright_remember_words(conversation uuid, content text) returns void language plpgsql as $$
declare
    said tsvector := pipewright_words(content);
begin
    if (select length(words) >= 300 from conversation_words where conversation_id = conversation) then
        perform pipewright_remember_more_words(conversation, said);
        return;
    end if;
    insert into conversation_words as w (conversation_id, words) values (conversation, said)
    on conflict (conversation_id) do update set words = w.words || excluded.words
    where w.words || excluded.words <> w.words;
end;
$$;

create or replace function pipewright_remember_more_words(conversation uuid, said tsvector) returns void
language plpgsql as $$
begin
    update conversation_words set words = words || said
    where conversation_id = conversation and length(words) < 10000 and words || said <> words;
exception when program_limit_exceeded then
    null;
end;
$$;
