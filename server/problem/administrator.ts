/** How problems and pages speak of the person who runs the server. */
export const YOUR_ADMINISTRATOR = 'your administrator';

/**
 * Adds to "your administrator" how to reach them.
 *
 * @param contact the text of VOUCH_CONTACT, if it is set
 */
export function namingContact(sentence: string, contact: string | undefined): string {
  return contact === undefined
    ? sentence
    : sentence.replaceAll(YOUR_ADMINISTRATOR, () => `${YOUR_ADMINISTRATOR} (${contact})`);
}
