import { findOnPath } from '../../../cli/files/on-path.ts';
import type { Bench, Row, WarmSandbox } from '../bench.ts';
import { measurePairs, program } from '../harness.ts';

/**
 * The credential helper with warm credentials, against AWS's own helper for CodeCommit, which most people use today. AWS's
 * helper has static credentials in its environment, so that it only has to sign: with a profile it would take longer.
 */
export const awsHelper: Bench = {
  name: 'aws-helper',
  async run({ sandbox, requestFile }: WarmSandbox) {
    const row: Row = {
      what: 'git-credential-vouch get, warm',
      against: 'aws codecommit credential-helper get',
      target: { bound: 'at least', value: 80, unit: 'times faster' },
    };
    const [aws] = findOnPath('aws', sandbox.env);
    if (aws === undefined) return [{ ...row, leftOut: '`aws` is not on PATH' }];
    const { env, home: cwd } = sandbox;
    const how = { env, cwd, input: requestFile };
    const ours = program('git-credential-vouch', ['get'], { ...how, expected: /^(?:password|credential)=/, times: 10 });
    const keys = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'of-no-worth' };
    const peer = program(aws, ['codecommit', 'credential-helper', 'get'], {
      ...how,
      env: { ...env, ...keys, AWS_DEFAULT_REGION: sandbox.first.region },
      expected: /^password=/,
    });
    const pairs = await measurePairs(ours, peer, 20);
    const { ratio } = pairs;
    // In the inverse the quartiles change places.
    const faster = { ...ratio, median: 1 / ratio.median, low: 1 / ratio.high, high: 1 / ratio.low };
    return [{ ...row, measured: faster, ours: pairs.ours, peer: pairs.peer }];
  },
};
