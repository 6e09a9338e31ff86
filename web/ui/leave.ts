/** Goes where the server says, and leaves no way back to a page that is over. Only to a web address, never a script. */
export function leaveFor(redirectTo: string): void {
  const url = new URL(redirectTo, location.href);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error('The server named a place that is no web page');
  location.replace(url);
}
