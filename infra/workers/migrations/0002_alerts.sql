-- "npm run schema" made this from src/ports/records/migrations.ts.
create table "alerts" ("id" text not null primary key, "key" text not null unique, "received_at" text not null, "resolved_at" text, "state" text not null, "due_at" text not null, "source" text not null, "fingerprint" text not null, "name" text not null, "alert" text not null, "cluster" text, "namespace" text, "workload" text, "pod" text, "trouble" text, "outcome" text, "suppression" text, "message" text, "diagnosis" text);
create index "alerts_by_source" on "alerts" ("source", "id");
create index "alerts_by_outcome" on "alerts" ("outcome", "id") where "outcome" is not null;
create index "alerts_by_namespace" on "alerts" ("namespace", "id") where "namespace" is not null;
create index "alerts_by_name" on "alerts" ("name", "id");
create index "alerts_by_suppression" on "alerts" ("suppression", "id") where "suppression" is not null;
create index "alerts_by_trouble" on "alerts" ("trouble", "id") where "trouble" is not null;
create index "alerts_due" on "alerts" ("state", "due_at", "id") where "state" = 'received';
create index "alerts_by_fingerprint" on "alerts" ("fingerprint", "source", "resolved_at");
create index "alerts_firing" on "alerts" ("resolved_at", "trouble") where "resolved_at" is null and "trouble" is not null;
create index "alerts_diagnosed" on "alerts" ("outcome", "trouble", "id") where "outcome" = 'diagnosed';
create index "alerts_suppressed" on "alerts" ("outcome", "diagnosis") where "outcome" = 'suppressed';
create index "alerts_suppressed_since" on "alerts" ("outcome", "suppression", "received_at") where "outcome" = 'suppressed';
create table "troubles" ("id" text not null primary key, "cluster" text not null, "namespace" text not null, "workload" text not null, "name" text not null, "opened_at" text not null, "updated_at" text not null, "resolved_at" text, "round" integer not null, "opened_by" text not null, "report" text);
create table "tellings" ("id" text not null primary key, "kind" text not null, "trouble" text, "report" text, "note" text, "state" text not null, "due_at" text not null, "attempts" integer not null, "version" integer not null, "created_at" text not null, "call" text not null, "message" text);
create index "tellings_due" on "tellings" ("due_at", "id") where "state" = 'due';
