/**
 * Makes the audit trail append-only for every program that uses the database, as `../sqlite/append-only.ts` does: no row changes, and rows
 * are only deleted up to the chain's base. The tables' owner can remove these triggers; the chain of hashes and its checkpoints are for that.
 */
export const MAKE_APPEND_ONLY = [
  `create or replace function audit_never_changes() returns trigger language plpgsql as $$
    begin
      raise exception 'a row of the audit trail never changes';
    end
  $$`,
  `create or replace function audit_is_kept() returns trigger language plpgsql as $$
    begin
      if old.id > coalesce((select base_id from audit_head where id = 1), 0) then
        raise exception 'rows of the audit trail are only deleted up to its base';
      end if;
      return old;
    end
  $$`,
  `create or replace function audit_is_never_emptied() returns trigger language plpgsql as $$
    begin
      raise exception 'rows of the audit trail are only deleted up to its base';
    end
  $$`,
  'create trigger audit_never_changes before update on audit for each row execute function audit_never_changes()',
  'create trigger audit_is_kept before delete on audit for each row execute function audit_is_kept()',
  'create trigger audit_is_never_emptied before truncate on audit for each statement execute function audit_is_never_emptied()',
];

/** Lets a migration change rows. */
export const LET_CHANGE = [
  'drop trigger if exists audit_never_changes on audit',
  'drop trigger if exists audit_is_kept on audit',
  'drop trigger if exists audit_is_never_emptied on audit',
];
