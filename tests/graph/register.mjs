// Registers a number with @kapso/whatsapp-cloud-api; reads it, renames it and listens to it with
// @great-detail/whatsapp: all that each of them offers, both unmodified.
// node register.mjs MODULES URL TOKEN WABA PHONE NUMBER OPERATOR
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, url, token, waba, phone, number, operator] = process.argv.slice(2);
const find = createRequire(`${modules}/`);
const load = async (name) => import(pathToFileURL(find.resolve(name, { paths: [modules] })).href);
const { WhatsAppClient } = await load("@kapso/whatsapp-cloud-api");
const { verifySignature } = await load("@kapso/whatsapp-cloud-api/server");
const { default: Client } = await import(
  pathToFileURL(`${modules}/@great-detail/whatsapp/dist/index.js`).href
);

const kapso = new WhatsAppClient({ baseUrl: url, graphVersion: "v25.0", accessToken: token });
const detail = new Client({
  prefixUrl: url,
  graphVersion: "v25.0",
  request: { headers: { Authorization: `Bearer ${token}` } },
});
const at = { phoneNumberId: phone };
const soon = () => new Promise((done) => setTimeout(done, 100));

// The endpoint, with the client's own reading of handshake and posts.
const posts = [];
const listener = createServer(async (request, response) => {
  const { method, headers } = request;
  if (method === "GET") {
    const query = Object.fromEntries(new URL(request.url, "http://localhost").searchParams);
    const asked = await detail.webhook.register({ method, query, headers });
    response.writeHead(asked.verifyToken === "known" ? 200 : 403);
    return response.end(asked.verifyToken === "known" ? asked.accept() : undefined);
  }
  let body = "";
  for await (const chunk of request) body += chunk;
  posts.push({ method, headers, body });
  response.end();
});
listener.listen(0, "127.0.0.1");
await once(listener, "listening");
const callback = `http://127.0.0.1:${listener.address().port}/hook`;
const here = { businessAccountID: waba };
const subscription = { ...here, override_callback_uri: callback, verify_token: "known" };
const created = await (await detail.subscribedApps.createSubscription(subscription)).json();
const { data: apps } = await (await detail.subscribedApps.listSubscriptions(here)).json();
const subscribed = [created, apps[0].override_callback_uri];

await kapso.phoneNumbers.requestCode({ ...at, codeMethod: "SMS", language: "en_US" });
let code;
for (let tries = 0; !code && tries < 600; tries += 1) {
  const inbox = await fetch(`${url}/sandbox/v1/inbox?number=${encodeURIComponent(number)}&limit=1`);
  code = (await inbox.json()).messages[0]?.code;
  if (!code) await soon();
}
await kapso.phoneNumbers.verifyCode({ ...at, code });
await kapso.phoneNumbers.register({ ...at, pin: "246810" });

const list = await detail.phoneNumbers.listPhoneNumbers({
  ...here,
  sort: "['last_onboarded_time_ascending']",
  filtering: JSON.stringify([{ field: "account_mode", operator: "EQUAL", value: "LIVE" }]),
});
const { data } = await list.json();
const listed = data.find((row) => row.id === phone);

const name = async () => {
  const fields = ["verified_name", ["throughput", ["level"]]];
  const shown = await detail.phoneNumbers.getPhoneNumber({ phoneNumberID: phone, fields });
  return (await shown.json()).verified_name;
};
const rename = { phoneNumberID: phone, new_display_name: "Jasper's Market" };
await detail.phoneNumbers.updatePhoneNumber(rename);
const before = await name();
await kapso.phoneNumbers.register({ ...at, pin: "246810" });
const after = await name();

let refused = 0;
try {
  await kapso.phoneNumbers.register({ ...at, pin: "000000" });
} catch (error) {
  refused = error.code ?? error.error?.code ?? 0;
}
await kapso.phoneNumbers.deregister(at);

for (let tries = 0; posts.length < 2 && tries < 600; tries += 1) await soon();
const shown = await fetch(`${url}/admin/v1/webhooks/graph/account/default/secret`, {
  headers: { Authorization: `Bearer ${operator}` },
});
const { secret } = await shown.json();
const told = [];
for (const post of posts) {
  const event = await detail.webhook.eventNotification(post);
  await event.verifySignature(secret);
  const { field, value } = event.eventNotification.entry[0].changes[0];
  const signatureHeader = post.headers["x-hub-signature-256"];
  const agreed = verifySignature({ appSecret: secret, rawBody: post.body, signatureHeader });
  told.push([field, value.decision ?? value.event, agreed]);
}
listener.close();
console.log(JSON.stringify({ listed, subscribed, callback, before, after, refused, told }));
