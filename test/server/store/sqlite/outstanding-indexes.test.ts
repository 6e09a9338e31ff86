import { createQueryId, type RootOperationNode } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { awsCredentialsUntil, rolesUsed } from '../../../../server/aws/outstanding.ts';
import { openFile } from '../../../../server/store/sqlite/open-store.ts';
import { newDatabase } from '../../settings.ts';

test('what AWS has issued is found by an index, so that no command waits for the whole audit trail', async () => {
  const store = await openFile(newDatabase());
  onTestFinished(() => store.destroy());
  const nodes: RootOperationNode[] = [];
  const watched = store.withPlugin({
    transformQuery: ({ node }) => {
      nodes.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  await awsCredentialsUntil(watched, { email: 'alice@example.com' }, 3600, 1_800_000_000_000);
  await awsCredentialsUntil(watched, { sessionId: 'hers' }, 3600, 1_800_000_000_000);
  await rolesUsed(watched, 'alice@example.com', 0);
  const plans = nodes.map(async (node) => {
    const query = store.getExecutor().compileQuery(node, createQueryId());
    const { rows } = await store.executeQuery<{ detail: string }>({ ...query, sql: `explain query plan ${query.sql}` });
    return rows.map(({ detail }) => detail).join();
  });
  expect(await Promise.all(plans)).toEqual([
    expect.stringMatching(/USING (COVERING )?INDEX audit_subject /),
    expect.stringMatching(/USING (COVERING )?INDEX audit_subject /),
    expect.stringMatching(/USING (COVERING )?INDEX audit_session /),
    expect.stringMatching(/USING (COVERING )?INDEX audit_session /),
    expect.stringMatching(/USING (COVERING )?INDEX audit_subject /),
  ]);
});
