-- "npm run schema" made this from src/ports/records/migrations.ts.
create table "diagnoses" ("id" text not null primary key, "created_at" text not null, "updated_at" text not null, "finished_at" text, "requester" text not null, "cluster" text not null, "namespace" text not null, "pod_name" text, "report" text, "state" text not null, "outcome" text, "explanation" text, "cancel_requested" integer not null, "started" integer not null, "idempotency_key" text unique, "fingerprint" text, "request" text not null, "refusal" text, "pod" text, "containers" text not null, "findings" text not null, "redactions" text not null, "bundle" text, "reported" text);
create index "diagnoses_by_namespace" on "diagnoses" ("namespace", "cluster", "id");
create index "diagnoses_by_report" on "diagnoses" ("report", "id");
create index "diagnoses_by_state" on "diagnoses" ("state", "started", "id");
create table "kept" ("key" text not null primary key, "value" text not null);
