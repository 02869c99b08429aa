// Registers a number with @kapso/whatsapp-cloud-api and reads it with @great-detail/whatsapp, both
// unmodified. node register.mjs MODULES URL TOKEN WABA PHONE NUMBER
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, url, token, waba, phone, number] = process.argv.slice(2);
const find = createRequire(`${modules}/`);
const load = async (name) => import(pathToFileURL(find.resolve(name, { paths: [modules] })).href);
const { WhatsAppClient } = await load("@kapso/whatsapp-cloud-api");

const kapso = new WhatsAppClient({ baseUrl: url, graphVersion: "v25.0", accessToken: token });
const at = { phoneNumberId: phone };
await kapso.phoneNumbers.requestCode({ ...at, codeMethod: "SMS", language: "en_US" });
let code;
for (let tries = 0; !code && tries < 100; tries += 1) {
  const inbox = await fetch(`${url}/sandbox/v1/inbox?number=${encodeURIComponent(number)}&limit=1`);
  code = (await inbox.json()).messages[0]?.code;
  if (!code) await new Promise((done) => setTimeout(done, 100));
}
await kapso.phoneNumbers.verifyCode({ ...at, code });
await kapso.phoneNumbers.register({ ...at, pin: "246810" });

const { default: Client } = await import(
  pathToFileURL(`${modules}/@great-detail/whatsapp/dist/index.js`).href
);
const detail = new Client({
  prefixUrl: url,
  graphVersion: "v25.0",
  request: { headers: { Authorization: `Bearer ${token}` } },
});
const list = await detail.phoneNumbers.listPhoneNumbers({ businessAccountID: waba });
const { data } = await list.json();
const listed = data.find((row) => row.id === phone);

let refused = 0;
try {
  await kapso.phoneNumbers.register({ ...at, pin: "000000" });
} catch (error) {
  refused = error.code ?? error.error?.code ?? 0;
}
await kapso.phoneNumbers.deregister(at);
console.log(JSON.stringify({ listed, refused }));
