-- What every process has counted, web and workers alike: each adds what is new to it now and then.
create table counters (
    name text not null,
    labels jsonb not null,
    value double precision not null,
    primary key (name, labels)
);
create index deliveries_by_time on deliveries (received_at);
create index orders_by_time on orders (created_at);
