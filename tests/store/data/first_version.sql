-- What the first version's web process said for each comment, in one transaction.
select pg_advisory_xact_lock(hashtextextended(%(place)s, 0));
select conversation_id from conversation_noteables where project_id = 104 and kind = 'issue' and iid = 1;
update conversations set updated_at = now(), is_confidential = is_confidential or false where id = %(conversation)s;
insert into deliveries (key) values (%(key)s) on conflict do nothing;
insert into orders (id, delivery_key, conversation_id, event, kind) values (%(order)s, %(key)s, %(conversation)s, '{}'::jsonb, 'mention') returning id;
update deliveries set order_id = %(order)s where key = %(key)s;
insert into procrastinate_jobs (queue_name, task_name, lock, args) values ('orders', 'run_event', %(lock)s, '{}'::jsonb);
-- What its worker said then, each in a transaction of its own.
update orders set state = 'running', attempts = attempts + 1, started_at = coalesce(started_at, now()) where id = %(order)s and state in ('queued', 'running') returning event::text;
insert into messages (conversation_id, order_id, role, content, tool_calls, tool_name, author) values (%(conversation)s, %(order)s, 'user', '@pipewright help', null, null, 'mia');
insert into pipelines (conversation_id, order_id, repo_url, dockerfile, gitlab_ci, project_id, target_branch, source_branch, is_internal, requested_by_id, requested_by, survey, composition) values (%(conversation)s, %(order)s, 'http://gitlab.test/a', null, '', 104, 'main', 'pipewright/issue-1', false, 100, 'mia', '{}'::jsonb, '{}'::jsonb) returning *;
update pipelines set status = 'superseded', updated_at = now() where order_id = %(order)s returning *;
update orders set reply_note_id = 7 where id = %(order)s;
update orders set state = 'done', result = 'help', error_id = null, finished_at = now() where id = %(order)s;
