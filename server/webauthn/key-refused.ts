import type { Compromise } from '../fido-metadata/statuses.ts';
import type { Judgement, KeyRefusal } from '../key-policy/judge.ts';
import { Problem, type ProblemDetails } from '../problem/problem.ts';

/** What a compromise means to the person who has the key. */
const DANGERS: Record<Compromise, string> = {
  USER_VERIFICATION_BYPASS: 'somebody else can use them without the PIN or the fingerprint',
  ATTESTATION_KEY_COMPROMISE: 'they can no longer prove that they are genuine',
  USER_KEY_REMOTE_COMPROMISE: 'their secrets can be stolen from afar',
  USER_KEY_PHYSICAL_COMPROMISE: 'whoever gets hold of one can copy its secrets',
  REVOKED: 'FIDO has withdrawn its trust in them',
};

/**
 * The administrator's rules refuse a key. The member `reason` says which of them, for programs.
 *
 * @param enrolled whether the key is enrolled already
 */
export function keyRefused({ model }: Judgement, refusal: KeyRefusal, enrolled: boolean): Problem {
  const { what, why } = words(refusal, model ?? 'this model');
  const fix = enrolled
    ? 'Use another key of yours. If you have none, ask your administrator to let you replace this one.'
    : enrolling(refusal);
  return new Problem({
    kind: 'key-refused',
    what,
    fix: `${why} ${fix}`,
    reason: `${what}: ${JSON.stringify({ ...refusal, model })}`,
    members: membersOf(refusal, model),
  });
}

function words(refusal: KeyRefusal, model: string): { what: string; why: string } {
  switch (refusal.kind) {
    case 'model-not-allowed':
      return { what: 'This model of key is not allowed here', why: `It says that it is: ${model}.` };
    case 'model-compromised':
      return {
        what: 'Keys of this model are not safe any more',
        why: `FIDO warns of ${model}: ${DANGERS[refusal.compromise]}.`,
      };
    case 'not-proven':
      return { what: 'This key did not prove which model it is', why: 'Here only keys count that do.' };
    case 'model-unknown':
      return { what: 'FIDO does not know this model of key', why: 'So nothing can prove what it is.' };
    case 'chain-untrusted':
      return {
        what: 'This key’s proof of its model is not trusted here',
        why: 'Its certificate does not come from a maker that is known for this model.',
      };
    case 'level-too-low':
      return {
        what: 'This model of key is not certified highly enough',
        why: `It needs FIDO’s level ${refusal.least}, and ${model} has ${refusal.level ?? 'none'}.`,
      };
  }
}

/** What to do when the key was to be enrolled. */
function enrolling({ kind }: KeyRefusal): string {
  return kind === 'not-proven'
    ? 'Allow the browser to show the key’s make and model when it asks, or use another key.'
    : 'Use another key. Your administrator knows which models are allowed.';
}

function membersOf(refusal: KeyRefusal, model: string | null): NonNullable<ProblemDetails['members']> {
  return {
    reason: refusal.kind,
    ...(model === null ? {} : { model }),
    ...(refusal.kind === 'model-compromised' ? { compromise: refusal.compromise } : {}),
    ...(refusal.kind === 'level-too-low' ? { level: refusal.level ?? 'none', least: refusal.least } : {}),
  };
}
