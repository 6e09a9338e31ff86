import type { Command } from 'commander';
import { addCheckpoint } from './audit/checkpoint.ts';
import { addExport } from './audit/export.ts';
import { addList } from './audit/list.ts';
import { addTail } from './audit/tail.ts';
import { addVerify } from './audit/verify.ts';

/** `vouch-server audit`: what happened, and the proof that nobody has changed it. */
export function addAudit(program: Command): void {
  const audit = program.command('audit').description('read the audit trail, and prove that nobody has changed it');
  addList(audit);
  addTail(audit);
  addExport(audit);
  addVerify(audit);
  addCheckpoint(audit);
}
