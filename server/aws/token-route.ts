import express, { type RequestHandler, Router } from 'express';
import { sourceOf } from '../audit/request-source.ts';
import type { Context } from '../context.ts';
import { objectBody, textField } from '../http/body.ts';
import { Problem } from '../problem/problem.ts';
import { isoTime } from '../text/iso-time.ts';
import { issueToken } from './issue-token.ts';
import { isRoleArn } from './role-arn.ts';

/** `POST /api/aws/token`: issues the ID token that the agent takes to AWS STS. */
export function awsTokenRoute(context: Context, requireSession: RequestHandler): Router {
  const router = Router();
  // Read after requireSession: the server does not read a stranger's body.
  const body = express.json({ limit: '4kb' });

  router.post('/api/aws/token', requireSession, body, async (request, response) => {
    const role = textField(objectBody(request.body), 'role', 640);
    if (!isRoleArn(role)) {
      throw new Problem({
        kind: 'role-refused',
        what: 'This is not the ARN of a role',
        fix: 'It looks like arn:aws:iam::123456789012:role/VouchDeveloper.',
      });
    }
    const { token, expiresAt } = await issueToken(context, response.locals.session, role, sourceOf(request));
    // For the metrics.
    response.locals.role = role;
    const { awsSessionSeconds } = context.config;
    response.json({ token, expiresAt: isoTime(expiresAt), sessionSeconds: awsSessionSeconds });
  });

  return router;
}
