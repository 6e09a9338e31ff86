/**
 * Makes the audit trail append-only for every program that opens the database: no row changes, and rows are only deleted up to the
 * chain's base, which must have been moved first. Whoever owns the file can remove these triggers; the chain of hashes and its
 * checkpoints are for that.
 */
export const MAKE_APPEND_ONLY = `
  create trigger if not exists audit_never_changes before update on audit
    begin select raise(abort, 'a row of the audit trail never changes'); end;
  create trigger if not exists audit_is_kept before delete on audit
    when old.id > coalesce((select base_id from audit_head where id = 1), 0)
    begin select raise(abort, 'rows of the audit trail are only deleted up to its base'); end;
`;

/** Lets a migration change rows. */
export const LET_CHANGE = 'drop trigger if exists audit_never_changes; drop trigger if exists audit_is_kept';
