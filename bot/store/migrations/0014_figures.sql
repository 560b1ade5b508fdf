-- How often each person came lately, for all web processes together. Nothing is lost with it, so it is not logged.
create unlogged table visits (
    person_id bigint primary key,
    due timestamptz not null
);

-- When the bot's first answer to an order stood in GitLab.
alter table orders add column acked_at timestamptz;

-- Ended orders are counted as they end: to count them when somebody asks would read them all.
create function pipewright_count_order() returns trigger language plpgsql as $$
begin
    insert into counters as c (name, labels, value)
    values ('pipewright_orders_total', jsonb_build_object('kind', new.kind, 'state', new.state, 'result', case
        when new.state in ('done', 'refused') and new.result ~ '^[a-z][a-z -]{0,30}$' then new.result else '' end), 1)
    on conflict (name, labels) do update set value = c.value + 1;
    return null;
end;
$$;
insert into counters (name, labels, value)
select 'pipewright_orders_total', jsonb_build_object('kind', kind, 'state', state, 'result', case
    when state in ('done', 'refused') and result ~ '^[a-z][a-z -]{0,30}$' then result else '' end), count(*)
from orders where state not in ('queued', 'running') group by 2;
create trigger count_order_that_ended after update of state on orders
    for each row when (old.state in ('queued', 'running') and new.state not in ('queued', 'running'))
    execute procedure pipewright_count_order();
create trigger count_order_that_came_ended after insert on orders
    for each row when (new.state not in ('queued', 'running')) execute procedure pipewright_count_order();
create index orders_broken on orders (created_at desc) where state = 'broken';
