// A message centre on an independent SMPP implementation. Prints one JSON object a line about what comes
// in, and takes orders the same way:
//   {"next": ["throttle", "drop", …]}   what becomes of the next submits; without order: taken
//   {"receipts": "after" | "before" | "twice" | "unknown" | "none"}
//   {"restart": true}                   drops everybody, listens no more for a moment, and again
// Each order is answered: {"ordered": …}, and holds from then on.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

let port = Number(process.argv[2] || 0);
let server;
let next = [];
let receipts = 'none';
let last = 0;
const sessions = new Set();
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

function receipt(session, pdu, id) {
  const text = `id:${id} sub:001 dlvrd:001 submit date:2611271200 done date:2611271201 stat:DELIVRD err:000 text:`;
  session.deliver_sm({
    esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, short_message: text,
  }, () => say({ acknowledged: id }));
}

function submit(session, pdu) {
  const order = next.shift() || 'take';
  const text = pdu.short_message && (pdu.short_message.message ?? String(pdu.short_message));
  say({ submit: { to: pdu.destination_addr, ton: pdu.dest_addr_ton, from: pdu.source_addr, text,
    data_coding: pdu.data_coding, registered_delivery: pdu.registered_delivery, order } });
  const id = `m${++last}`;
  const answer = () => session.send(pdu.response({ message_id: id }));
  switch (order) {
    case 'throttle': return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    case 'refuse': return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
    case 'silence': return undefined;
    case 'slow': return setTimeout(answer, 1500);
    case 'drop': return session.destroy();
  }
  if (receipts === 'before') receipt(session, pdu, id);
  setTimeout(answer, receipts === 'before' ? 50 : 0);
  const after = { after: [id], twice: [id, id], unknown: ['nobody', id] }[receipts] || [];
  setTimeout(() => after.forEach((name) => receipt(session, pdu, name)), 50);
  return undefined;
}

function listen() {
  server = smpp.createServer((session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
    session.on('bind_transceiver', (pdu) => {
      const known = pdu.system_id === 'rollcall' && pdu.password === 'secret';
      say({ bind: { version: pdu.interface_version, known } });
      session.send(pdu.response(known ? {} : { command_status: smpp.ESME_RINVPASWD }));
    });
    session.on('submit_sm', (pdu) => submit(session, pdu));
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.on('unbind', (pdu) => {
      say({ unbind: true });
      session.send(pdu.response());
      session.close();
    });
  });
  server.listen(port, '127.0.0.1', () => {
    port = server.address().port;
    say({ listening: port });
  });
}

function order(line) {
  const given = JSON.parse(line);
  if (given.next) next = given.next;
  if (given.receipts) receipts = given.receipts;
  if (given.restart) {
    server.close(() => setTimeout(listen, 300));
    sessions.forEach((session) => session.destroy());
  }
  say({ ordered: given });
}

readline.createInterface({ input: process.stdin }).on('line', order).on('close', () => process.exit(0));
listen();
