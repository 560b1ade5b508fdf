create index messages_by_order on messages (order_id, id);
