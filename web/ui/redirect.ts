/** Goes where the server says, and leaves no way back to this page, which is over. Never runs a script: only http(s). */
export function redirect(target: string): void {
  const url = new URL(target, location.href);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Error('The server sent the browser to something that is not a web page');
  }
  location.replace(url);
}
