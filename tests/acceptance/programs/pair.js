// SPDX-License-Identifier: MIT
// pair serve: answers on port 80. pair call NAME...: prints the answer and the address of each server.
const net = require('net');

const plain = (address) => address.replace('::ffff:', '');

function call(names) {
    if (names.length === 0) return;
    const socket = net.connect(80, names[0], () => socket.write('hello\n'));
    const from = () => plain(socket.remoteAddress);
    let said = '';
    socket.on('data', (data) => { said += `${data}`; if (said.endsWith('\n')) said = `${said.trim()} ${from()}`; });
    socket.on('close', () => { console.log(said); call(names.slice(1)); });
}

if (process.argv[2] === 'call') {
    call(process.argv.slice(3));
} else {
    net.createServer((caller) => {
        caller.on('data', (data) => caller.end(`node ${`${data}`.trim()} ${plain(caller.remoteAddress)}\n`));
    }).listen(80, () => console.log('up'));
}
