import express, { type RequestHandler, Router } from 'express';
import { sourceOf } from '../audit/request-source.ts';
import type { Context } from '../context.ts';
import { badRequest, objectBody, optionalTextField, textField } from '../http/body.ts';
import { Problem } from '../problem/problem.ts';
import { isoTime } from '../text/iso-time.ts';
import { issueToken } from './issue-token.ts';
import { isRoleArn } from './role-arn.ts';

/** A lend's name, as the agent takes it. */
const LEND_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** `POST /api/aws/token`: issues the ID token that the agent takes to AWS STS. */
export function awsTokenRoute(context: Context, requireSession: RequestHandler): Router {
  const router = Router();
  // Read after requireSession: the server does not read a stranger's body.
  const body = express.json({ limit: '4kb' });

  router.post('/api/aws/token', requireSession, body, async (request, response) => {
    const asked = objectBody(request.body);
    const role = textField(asked, 'role', 640);
    const lent = optionalTextField(asked, 'lent', 40) ?? undefined;
    if (!isRoleArn(role)) {
      throw new Problem({
        kind: 'role-refused',
        what: 'This is not the ARN of a role',
        fix: 'It looks like arn:aws:iam::123456789012:role/VouchDeveloper.',
      });
    }
    if (lent !== undefined && !LEND_NAME.test(lent)) throw badRequest('lent is not the name of a lend');
    const { token, expiresAt } = await issueToken(context, response.locals.session, role, sourceOf(request), lent);
    // For the metrics.
    response.locals.role = role;
    const { awsSessionSeconds } = context.config;
    // `lent` says that the token has the tag: an agent must not lend with a server that does not know of it.
    response.json({ token, expiresAt: isoTime(expiresAt), sessionSeconds: awsSessionSeconds, lent });
  });

  return router;
}
