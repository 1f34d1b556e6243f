#!/bin/sh
# Run once by the image, when it makes the database: the account that the service signs in as. It owns nothing;
# what it may do it is given by `db upgrade` (DATABASE_ACCOUNT).
set -eu
export SERVICE_PASSWORD_FILE="${SERVICE_PASSWORD_FILE:-/run/secrets/database_password}"
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat "$SERVICE_PASSWORD_FILE"`
CREATE ROLE labinterp LOGIN PASSWORD :'password';
SQL
