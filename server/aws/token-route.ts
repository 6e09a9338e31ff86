import { type RequestHandler, Router } from 'express';
import { audit } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { objectBody, textField } from '../http/body.ts';
import { Problem } from '../problem.ts';
import { isRoleArn } from './role-arn.ts';
import { tokenForRole } from './token-for-role.ts';

/** `POST /api/aws/token`: the ID token that the agent takes to AWS STS. */
export function awsTokenRoute(context: Context, requireSession: RequestHandler): Router {
  const router = Router();

  router.post('/api/aws/token', requireSession, async (request, response) => {
    const role = textField(objectBody(request.body), 'role', 640);
    if (!isRoleArn(role)) {
      throw new Problem(
        400,
        'role-refused',
        'This is not the ARN of a role',
        'It looks like arn:aws:iam::123456789012:role/VouchDeveloper.',
      );
    }
    const { session } = response.locals;
    const { token, expiresAt, jti } = await tokenForRole(context, session, role);
    // Written before the token leaves: none is ever out that nobody can find again.
    await audit(context.store, context.now(), {
      event: 'aws-token-issued',
      email: session.email,
      keyId: session.keyId,
      sessionId: session.id,
      ip: String(request.ip),
      detail: { role, jti },
    });
    response.json({ token, expiresAt: new Date(expiresAt).toISOString() });
  });

  return router;
}
