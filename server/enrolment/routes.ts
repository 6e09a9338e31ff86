import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { type Request, type Response, Router } from 'express';
import { sourceOf } from '../audit/request-source.ts';
import type { Context } from '../context.ts';
import { badRequest, credentialBody, objectBody, optionalTextField, textField } from '../http/body.ts';
import type { ShortAddresses } from '../http/short-address.ts';
import { isoTime } from '../text/iso-time.ts';
import { cancelEnrolment } from './cancel.ts';
import { confirmationOptions, confirmEnrolment, finishEnrolment, newKeyOptions, openEnrolment } from './page.ts';
import { startEnrolment } from './start.ts';
import { approveEnrolment, denyEnrolment, enrolmentStatus } from './terminal.ts';

/** The header in which a page sends its secret. */
const PAGE_HEADER = 'vouch-page';

/**
 * The routes under /enroll that the page and `vouch enroll` call; docs/http-api.md lists them.
 *
 * @param addresses the short addresses of the pages that a terminal opens
 */
export function enrolmentRoutes(context: Context, addresses: ShortAddresses): Router {
  const router = Router();

  router.post('/enroll/start', async (request, response) => {
    const body = objectBody(request.body);
    const machine = optionalTextField(body, 'machine', 64);
    const email = optionalTextField(body, 'email', 64);
    const byPage = body.page === true;
    const { address, name } = addresses.make();
    const started = await startEnrolment(
      context,
      {
        code: textField(body, 'invitation', 100),
        client: byPage ? 'this browser' : 'Vouch CLI',
        byPage,
        ticket: name,
        machine,
        keyName: optionalTextField(body, 'name', 40),
        ...(email === null ? {} : { email }),
      },
      sourceOf(request),
    );
    response.json({
      ticket: started.ticket,
      ...(started.page === undefined ? { url: address, poll: started.poll } : { page: started.page }),
      email: started.email,
      ...(started.replaces === undefined ? {} : { replaces: started.replaces }),
      expiresAt: isoTime(started.expiresAt),
    });
  });

  router.post('/enroll/status', async (request, response) => {
    response.json(await enrolmentStatus(context, textField(objectBody(request.body), 'poll', 100)));
  });

  router.post('/enroll/approve', async (request, response) => {
    const body = objectBody(request.body);
    await approveEnrolment(context, textField(body, 'poll', 100), textField(body, 'words', 100));
    response.status(204).end();
  });

  router.post('/enroll/deny', async (request, response) => {
    await denyEnrolment(context, textField(objectBody(request.body), 'poll', 100), sourceOf(request));
    response.status(204).end();
  });

  router.post('/enroll/:ticket/open', async (request, response) => {
    const opened = await openEnrolment(context, ticketOf(request), request.get(PAGE_HEADER));
    response.json({
      ...opened,
      ...('requestedAt' in opened ? { requestedAt: isoTime(opened.requestedAt) } : {}),
      expiresAt: isoTime(opened.expiresAt),
      host: new URL(context.config.issuer).host,
    });
  });

  /** A step of the ceremony, for the page that opened the enrolment. */
  const step = (
    path: string,
    action: (ticket: string, page: string, request: Request, response: Response) => Promise<void>,
  ) => {
    router.post(`/enroll/:ticket/${path}`, async (request, response) => {
      await action(ticketOf(request), request.get(PAGE_HEADER) ?? '', request, response);
    });
  };

  step('confirm/options', async (ticket, page, _request, response) => {
    response.json(await confirmationOptions(context, ticket, page));
  });
  step('confirm/verify', async (ticket, page, request, response) => {
    const credential = credentialBody<AuthenticationResponseJSON>(request.body);
    response.json({ page: await confirmEnrolment(context, ticket, page, credential, sourceOf(request)) });
  });
  step('cancel', async (ticket, page, request, response) => {
    await cancelEnrolment(context, ticket, page, sourceOf(request));
    response.status(204).end();
  });
  step('options', async (ticket, page, _request, response) => {
    response.json(await newKeyOptions(context, ticket, page));
  });
  step('verify', async (ticket, page, request, response) => {
    const credential = credentialBody<RegistrationResponseJSON>(request.body);
    response.json(await finishEnrolment(context, ticket, page, credential, sourceOf(request)));
  });

  return router;
}

function ticketOf(request: Request): string {
  const { ticket } = request.params;
  if (typeof ticket !== 'string' || ticket.length > 100) throw badRequest('This is not an enrolment');
  return ticket;
}
