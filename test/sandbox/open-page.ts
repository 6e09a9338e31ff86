/** $BROWSER runs this: `open-page.ts SOCKET URL` makes the sandbox's browser open a page, and ends once it is open. */
import { connect } from 'node:net';

const [socket = '', url = ''] = process.argv.slice(2);
const connection = connect(socket, () => connection.end(`${url}\n`));
connection.resume();
connection.on('error', (error) => {
  console.error(`The sandbox's browser does not answer: ${error.message}`);
  process.exitCode = 1;
});
