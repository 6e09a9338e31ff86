import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flawIn, requestCredentials } from './attempt.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld(1);
});
afterAll(() => world?.close());

test('1,000 first requests at once, for as many repositories: the server gives one ID token, and STS is called once', async () => {
  await world.logIn();
  const [role] = world.roles;
  if (role === undefined) throw new Error('there is no role');
  const repositories = Array.from({ length: 1000 }, (_, number) => ({
    host: 'git-codecommit.us-east-1.amazonaws.com',
    path: `v1/repos/repository-${number}`,
  }));
  const attempts = await Promise.all(
    repositories.map((repository) => requestCredentials(world, 'git', role, repository)),
  );
  expect(attempts.filter(({ given }) => given)).toHaveLength(1000);
  expect(attempts.flatMap((attempt) => flawIn(world, attempt) ?? [])).toEqual([]);
  expect(world.aws.log.filter(({ service }) => service === 'sts')).toEqual([
    expect.objectContaining({ action: 'AssumeRoleWithWebIdentity', role: role.arn, outcome: 'OK' }),
  ]);
  using database = new DatabaseSync(world.server.database, { readOnly: true });
  const tokens = database.prepare("SELECT detail FROM audit WHERE event = 'aws-token-issued'").all();
  expect(tokens).toEqual([{ detail: expect.stringContaining(role.arn) }]);
});
