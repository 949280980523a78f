-- "npm run schema" made this from src/ports/records/migrations.ts.
alter table "diagnoses" add column "comparison" text;
