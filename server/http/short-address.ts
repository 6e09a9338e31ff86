import { createHmac } from 'node:crypto';
import { type Request, type RequestHandler, Router } from 'express';
import { deriveKey } from '../secrets.ts';
import { inGroups, randomTypedCode, readTypedCode } from '../text/typed-code.ts';

/**
 * In characters of 5 bits each: 50 bits. Who guesses needs this: a server that does nothing but answer 5,000 guesses a second, for a whole
 * year in which 1,000 sign-ins are open at every moment, has answered 1.6e11 of them, and 1.6e11 * 1,000 / 2^50 is a chance of 14 % for one
 * hit. From one client it takes 300 a minute: 3,000 in the 10 minutes of a sign-in, a chance of 3 in 10^9. And a hit is worth what
 * docs/security.md says under "What the addresses are worth": nobody is signed in with it.
 */
const LENGTH = 10;

/** The short addresses of one sort of page, such as `https://vouch.example.com/s/k7mq3-xw92d`. */
export interface ShortAddresses {
  /** A new address, and the secret name that the page behind it must have. */
  make(): { address: string; name: string };
  /** `GET /LETTER/:code`: leads to the page. @param opens whether there is such a page now; otherwise people are told what to do */
  route(opens: (name: string) => Promise<boolean>, wrongAddress: RequestHandler): Router;
}

/**
 * Makes addresses that people can read out and type. Nothing is stored for them: a page's secret name follows from the code, by a key that
 * only the server has. So any instance knows what an address leads to, the address ends with its page, and nobody who sees names or their
 * hashes finds the code.
 *
 * @param letter the first part of their path; each letter is a sort of its own
 * @param place the path of the page, before its name
 * @param master the master key, 32 bytes
 */
export function shortAddresses(letter: string, place: string, issuer: string, master: Buffer): ShortAddresses {
  const key = deriveKey(master, `short addresses ${letter}`);
  const nameOf = (code: string) => createHmac('sha256', key).update(code).digest('base64url');
  return {
    make: () => {
      const code = randomTypedCode(LENGTH);
      return { address: `${issuer}/${letter}/${inGroups(code, 5).toLowerCase()}`, name: nameOf(code) };
    },
    route: (opens, wrongAddress) => {
      const router = Router();
      router.get(`/${letter}/:code`, async (request: Request<{ code: string }>, response, next) => {
        const name = nameOf(readTypedCode(request.params.code));
        if (await opens(name)) response.redirect(303, `${place}/${name}`);
        else wrongAddress(request as Request, response, next);
      });
      return router;
    },
  };
}
