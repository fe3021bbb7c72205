-- Who may sign in to the console. What people did is in incident_history, by name.
CREATE TABLE accounts (
    name text PRIMARY KEY,
    role text NOT NULL,                  -- viewer, operator
    password text NOT NULL,              -- its hash: Argon2id, in PHC's form
    kept_by text NOT NULL,               -- people: by the command; inventory: by the deployment
    changed timestamptz NOT NULL         -- when it was made, or its password or role was changed
);

-- Who has signed in. A browser has the token; here is only its digest, with which nobody can sign in.
CREATE TABLE sessions (
    digest text PRIMARY KEY,             -- SHA-256, in hexadecimal
    name text NOT NULL,                  -- the account
    started timestamptz NOT NULL,
    seen timestamptz NOT NULL            -- when it was used last, to a quarter of an hour
);

CREATE INDEX sessions_name ON sessions (name);

-- Roles that may read every table, by default privileges, must not read these.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT DISTINCT c.oid::regclass AS name, a.grantee
        FROM pg_class AS c, aclexplode(c.relacl) AS a
        WHERE c.oid IN ('accounts'::regclass, 'sessions'::regclass) AND a.grantee <> c.relowner
    LOOP
        EXECUTE format(
            'REVOKE ALL ON %s FROM %s', one.name,
            CASE one.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.grantee)) END
        );
    END LOOP;
END $$;
