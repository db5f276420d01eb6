"""The log refuses UPDATE, DELETE and TRUNCATE, for every role.

Two things must remain possible: entries get old, and people and businesses have a right to be
forgotten. Only the functions below may do it. Each does that one thing, and adds an entry that says
so. What this protects against, and what not: docs/reference/audit.md.
"""

from django.db import migrations

REFUSAL = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'TRUNCATE' AND current_setting('sophiie.audit_upkeep', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_is_not_emptied BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
-- Also where triggers are left out, as for what replication applies.
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_is_not_changed;
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_is_not_emptied;
"""

PRUNING = """
CREATE FUNCTION audit_prune(older_than timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    gone integer;
BEGIN
    IF older_than > now() - interval '30 days' THEN
        RAISE EXCEPTION 'the audit log is kept for 30 days at least'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('sophiie.audit_upkeep', 'on', true);
    DELETE FROM audit_entry WHERE id IN (
        SELECT id FROM audit_entry WHERE at < older_than
        ORDER BY at LIMIT most FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('sophiie.audit_upkeep', 'off', true);
    IF gone > 0 THEN
        INSERT INTO audit_entry (id, at, act, actor_kind, details) VALUES (
            gen_random_uuid(), now(), 'audit.pruned', 'system',
            jsonb_build_object('entries', gone, 'before', older_than)
        );
    END IF;
    RETURN gone;
END
$$;
"""

FORGETTING = """
CREATE FUNCTION audit_forget_person(business uuid, person uuid, email text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    emails text[];
    changed integer;
BEGIN
    -- Also the addresses of before.
    SELECT array_agg(DISTINCT lower(known)) INTO emails FROM (
        SELECT email AS known
        UNION ALL SELECT actor_email FROM audit_entry
            WHERE business_id = business AND actor_id = person
        UNION ALL SELECT jsonb_array_elements_text(details -> 'email') FROM audit_entry
            WHERE business_id = business AND subject_id = person AND act = 'email.changed'
    ) AS addresses WHERE known <> '';
    PERFORM set_config('sophiie.audit_upkeep', 'on', true);
    UPDATE audit_entry SET
        actor_name = CASE WHEN actor_id = person THEN '' ELSE actor_name END,
        actor_email = CASE WHEN actor_id = person THEN '' ELSE actor_email END,
        address = CASE WHEN actor_id = person OR actor_kind = 'nobody' THEN NULL ELSE address END,
        agent = CASE WHEN actor_id = person OR actor_kind = 'nobody' THEN '' ELSE agent END,
        subject_label = CASE
            WHEN subject_id = person OR lower(subject_label) = ANY (emails) THEN ''
            -- What they named themselves.
            WHEN actor_id = person AND subject_kind NOT IN ('member', 'business') THEN ''
            ELSE subject_label END,
        details = CASE
            WHEN subject_id = person THEN '{}'::jsonb
            WHEN details ->> 'for_id' = person::text THEN details - 'for'
            ELSE details END
    WHERE business_id = business AND (
        actor_id = person OR subject_id = person OR lower(subject_label) = ANY (emails)
        OR details ->> 'for_id' = person::text
    );
    GET DIAGNOSTICS changed = ROW_COUNT;
    PERFORM set_config('sophiie.audit_upkeep', 'off', true);
    INSERT INTO audit_entry (id, at, business_id, act, actor_kind, subject_kind, subject_id, details)
    VALUES (
        gen_random_uuid(), now(), business, 'audit.person_forgotten', 'system', 'member', person,
        jsonb_build_object('entries', changed)
    );
    RETURN changed;
END
$$;
CREATE FUNCTION audit_forget_business(business uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    gone integer;
BEGIN
    PERFORM set_config('sophiie.audit_upkeep', 'on', true);
    DELETE FROM audit_entry WHERE business_id = business;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('sophiie.audit_upkeep', 'off', true);
    INSERT INTO audit_entry (id, at, business_id, act, actor_kind, subject_kind, subject_id, details)
    VALUES (
        gen_random_uuid(), now(), business, 'audit.business_forgotten', 'system', 'business',
        business, jsonb_build_object('entries', gone)
    );
    RETURN gone;
END
$$;
"""

# They run with the rights of their owner: nobody else may call them, and what they name is looked
# for where the table is and nowhere else.
RIGHTS = """
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'audit_refuse()', 'audit_prune(timestamptz, integer)',
        'audit_forget_person(uuid, uuid, text)', 'audit_forget_business(uuid)'
    ] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
        EXECUTE format(
            'ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', name, current_schema()
        );
    END LOOP;
END
$$;
"""

UNDONE = """
DROP TRIGGER audit_entry_is_not_changed ON audit_entry;
DROP TRIGGER audit_entry_is_not_emptied ON audit_entry;
DROP FUNCTION audit_refuse(), audit_prune(timestamptz, integer),
    audit_forget_person(uuid, uuid, text), audit_forget_business(uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL(REFUSAL + PRUNING + FORGETTING + RIGHTS, UNDONE)]
