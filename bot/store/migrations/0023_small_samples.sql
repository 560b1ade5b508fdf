-- Of what grows with every delivery PostgreSQL looks at a tenth of as many rows as it would by itself when it renews its
-- statistics (autovacuum, every minute of a flood): it looked at thirty thousand of each table, with a processor to
-- itself for up to half a second, and deliveries waited. These tables are asked by keys, projects, persons and times,
-- for which a small sample tells as much.
do $$
declare
    place text;
begin
    foreach place in array array['orders', 'deliveries', 'audit', 'procrastinate_jobs'] loop
        execute 'alter table ' || place || ' ' || (
            select string_agg(format('alter column %I set statistics 10', attname), ', ') from pg_attribute
            where attrelid = place::regclass and attnum > 0 and not attisdropped);
    end loop;
end;
$$;
