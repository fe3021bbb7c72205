-- Who may sign in to the console. What people did is in incident_history, by name.
CREATE TABLE accounts (
    name TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,                  -- viewer, operator
    password TEXT NOT NULL,              -- its hash: Argon2id, in PHC's form
    kept_by TEXT NOT NULL,               -- people: by the command; inventory: by the deployment
    changed TEXT NOT NULL                -- when it was made, or its password or role was changed
) STRICT, WITHOUT ROWID;

-- Who has signed in. A browser has the token; here is only its digest, with which nobody can sign in.
CREATE TABLE sessions (
    digest TEXT NOT NULL PRIMARY KEY,    -- SHA-256, in hexadecimal
    name TEXT NOT NULL,                  -- the account
    started TEXT NOT NULL,
    seen TEXT NOT NULL                   -- when it was used last, to a quarter of an hour
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_name ON sessions (name);
