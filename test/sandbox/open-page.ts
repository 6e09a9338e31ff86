/** $BROWSER runs this: `open-page.ts SOCKET URL` tells the sandbox's browser to open a page, and ends once it has. */
import { connect } from 'node:net';

const [socket = '', url = ''] = process.argv.slice(2);
const connection = connect(socket, () => connection.end(`${url}\n`));
connection.resume();
connection.on('error', (error) => {
  console.error(`The sandbox's browser does not answer: ${error.message}`);
  process.exitCode = 1;
});
