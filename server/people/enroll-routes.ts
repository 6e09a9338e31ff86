import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { type Request, type Response, Router } from 'express';
import type { Context } from '../context.ts';
import { badRequest, credentialBody, objectBody, optionalTextField, textField } from '../http/body.ts';
import { readCookie } from '../http/cookies.ts';
import { Problem } from '../problem.ts';
import { randomSecret } from '../secrets.ts';
import {
  confirmationOptions,
  confirmEnrolment,
  enrolmentStatus,
  finishEnrolment,
  newKeyOptions,
  openEnrolment,
  startEnrolment,
} from './enrolments.ts';

/** The routes under /enroll that the page and `vouch enroll` call; docs/http-api.md lists them. */
export function enrollRoutes(context: Context): Router {
  const router = Router();
  const cookie = context.config.local ? 'vouch-enroll' : '__Host-vouch-enroll';

  router.post('/enroll/start', async (request, response) => {
    const body = objectBody(request.body);
    const machine = optionalTextField(body, 'machine', 64);
    const email = optionalTextField(body, 'email', 64);
    const started = await startEnrolment(
      context,
      {
        code: textField(body, 'invitation', 100),
        client: machine === null ? 'this browser' : 'Vouch CLI',
        machine,
        keyName: optionalTextField(body, 'name', 40),
        ...(email === null ? {} : { email }),
      },
      String(request.ip),
    );
    response.json({
      ticket: started.ticket,
      url: `${context.config.issuer}/enroll/${started.ticket}`,
      poll: started.poll,
      email: started.email,
      expiresAt: new Date(started.expiresAt).toISOString(),
    });
  });

  router.post('/enroll/status', async (request, response) => {
    const status = await enrolmentStatus(context, textField(objectBody(request.body), 'poll', 100));
    if (status === undefined) {
      throw new Problem(404, 'interaction-over', 'This enrolment is over', 'Run `vouch enroll` again.');
    }
    response.json(status);
  });

  router.post('/enroll/:ticket/open', async (request, response) => {
    const known = readCookie(request, cookie);
    const browser = known ?? randomSecret();
    const opened = await openEnrolment(context, ticketOf(request), browser);
    if (known === undefined) {
      response.cookie(cookie, browser, {
        httpOnly: true,
        sameSite: 'strict',
        secure: !context.config.local,
        // What __Host- asks for: no sibling's page can plant it.
        path: '/',
        maxAge: 60 * 60 * 1000,
      });
    }
    response.json({
      ...opened,
      requestedAt: new Date(opened.requestedAt).toISOString(),
      expiresAt: new Date(opened.expiresAt).toISOString(),
      host: new URL(context.config.issuer).host,
    });
  });

  /** A step of the ceremony, in the browser that opened the page. */
  const step = (
    path: string,
    action: (ticket: string, browser: string, request: Request, response: Response) => Promise<void>,
  ) => {
    router.post(`/enroll/:ticket/${path}`, async (request, response) => {
      await action(ticketOf(request), readCookie(request, cookie) ?? '', request, response);
    });
  };

  step('confirm/options', async (ticket, browser, _request, response) => {
    response.json(await confirmationOptions(context, ticket, browser));
  });
  step('confirm/verify', async (ticket, browser, request, response) => {
    const credential = credentialBody<AuthenticationResponseJSON>(request.body);
    await confirmEnrolment(context, ticket, browser, credential, String(request.ip));
    response.status(204).end();
  });
  step('options', async (ticket, browser, _request, response) => {
    response.json(await newKeyOptions(context, ticket, browser));
  });
  step('verify', async (ticket, browser, request, response) => {
    const credential = credentialBody<RegistrationResponseJSON>(request.body);
    response.json(await finishEnrolment(context, ticket, browser, credential, String(request.ip)));
  });

  return router;
}

function ticketOf(request: Request): string {
  const { ticket } = request.params;
  if (typeof ticket !== 'string' || ticket.length > 100) throw badRequest('This is not an enrolment');
  return ticket;
}
