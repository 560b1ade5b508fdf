create index messages_by_order on messages (order_id, id);

-- Orders that come over the program's own addresses: whether the answer is still wanted, and the answer itself.
alter table orders add column stop_asked boolean not null default false;
alter table orders add column answer text not null default '';

-- Whoever opened a conversation that hangs on no issue or merge request; nobody else may read or continue it.
alter table conversations add column owner_id bigint;
