// Makes screenshots of every page: light, dark, and on a phone; empty, full, in trouble, in German. `./test pictures`.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browse, register, serve } from "./server.mjs";

const folder = process.argv[2] ?? "target/screenshots";
const only = process.argv[3];
mkdirSync(folder, { recursive: true });

// The registrar upstream is a server of the same kind, with few calls in an hour.
const meta = await serve(null, { ROLLCALL__GRAPH__WABA_CALLS_PER_HOUR: "12", ROLLCALL__GRAPH__REGISTERED_WABA_CALLS_PER_HOUR: "12" });
const server = await serve(null, { ROLLCALL__NAMES__REVIEW: "true" });
const { context, stop } = await browse();
const page = context.pages()[0] ?? (await context.newPage());

await page.goto(server.url + "/console/login");
const ways = [["light", { width: 1280, height: 860 }], ["dark", { width: 1280, height: 860 }], ["phone", { width: 390, height: 844 }]];

async function shoot(name, fullPage = true) {
  if (only && !name.includes(only)) return;
  for (const [way, size] of ways) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: way === "dark" ? "dark" : "light" });
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(folder, `${name}-${way}.png`), fullPage });
  }
  await page.setViewportSize({ width: 1280, height: 860 });
}

await shoot("login");
await page.getByLabel("Operator token").fill("wrong");
await page.getByRole("button", { name: "Log in" }).click();
await shoot("login-wrong");
await page.goto(server.link);
await shoot("enter");
await page.getByRole("button").first().click();
for (const [name, path] of [["overview", ""], ["numbers", "/numbers"], ["names", "/names"], ["sandbox", "/sandbox"], ["groups", "/access/groups"]]) {
  await page.goto(`${server.url}/console${path}`);
  await page.waitForTimeout(300);
  await shoot(`${name}-empty`);
}

const waba = "102290129340398";
await server.ask("POST", "/admin/v1/wabas", { space: "default", id: waba, name: "Garden shops" });
const names = ["Lucky Shrub", "مطعم الياسمين", "Mühlenbäckerei Sankt Johann & Söhne am Alten Markt GmbH & Co. KG", "<script>alert(1)</script>", "בית קפה", "Café de la Gare"];
for (let i = 0; i < 18; i++) {
  const party = i % 3 === 0 && i > 0 ? { waba } : i === 0 ? { client: "default" } : { waba };
  const number = `+4477009001${String(10 + i)}`;
  if (i % 4 === 3) {
    await server.ask("POST", `/admin/v1/numbers/${number.slice(1)}/request-code`, { waba, method: "sms", name: names[i % names.length] });
  } else {
    await register(server, number, names[i % names.length], party);
  }
}
const seen = "/admin/v1/numbers/447700900110";
await server.ask("PUT", `${seen}/two-step`, { pin: "246810" });
await server.ask("POST", `${seen}/request-code`, { waba, method: "sms" });
await server.ask("POST", `${seen}/verify-code`, { waba, code: "000000" });

// Names that wait, as callers bring them.
const token = (await server.ask("POST", "/admin/v1/graph-tokens", { account: "default", name: "shop" })).body.token;
for (let i = 0; i < names.length; i++) {
  const add = new URLSearchParams({ cc: "44", phone_number: `770090019${i}`, verified_name: names[i] });
  await fetch(`${server.url}/v22.0/${waba}/phone_numbers?${add}`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
}

// A WABA whose numbers are registered elsewhere: one as here, one that was given up there, one under way.
const abroad = "102290129340399";
const far = (await meta.ask("GET", "/admin/v1/wabas")).body.items[0].id;
await meta.ask("POST", "/admin/v1/graph-tokens", { account: "default", name: "us" }).then(async ({ body }) => {
  await server.ask("POST", "/admin/v1/wabas", { space: "default", id: abroad, name: "Abroad" });
  const upstream = { registrar: "meta", base_url: meta.url, token: body.token, remote_id: far };
  const set = await server.ask("PUT", `/admin/v1/wabas/${abroad}/upstream`, upstream);
  if (set.status !== 200) throw new Error(JSON.stringify(set.body));
});

const go = async (name, path) => {
  await page.goto(server.url + path);
  await page.waitForTimeout(400);
  await shoot(name);
};
await go("numbers", "/console/numbers");
await go("numbers-none", "/console/numbers?q=999");
await go("upstream-empty", `/console/upstream/${abroad}`);
for (const number of ["447700900171", "447700900172"]) {
  const order = { waba: abroad, method: "sms", name: names[0] };
  const path = `/admin/v1/numbers/${number}`;
  await server.ask("POST", `${path}/request-code`, order);
  const { body } = await meta.ask("GET", `/sandbox/v1/inbox/wait?number=%2B${number}&timeout=60s`);
  await server.ask("POST", `${path}/verify-code`, { waba: abroad, code: body.code });
}
await meta.ask("POST", "/admin/v1/numbers/447700900171/deregister", {});
await page.goto(`${server.url}/console/upstream/${abroad}`);
await page.getByRole("button", { name: "Compare now" }).click();
await shoot("upstream");
await meta.stop();
await page.getByRole("button", { name: "Compare now" }).click();
await shoot("upstream-gone");
await go("number", "/console/numbers/447700900110");
await go("number-rtl", "/console/numbers/447700900111");
await go("number-long-name", "/console/numbers/447700900112");
await go("number-awaiting", "/console/numbers/447700900113");
await go("names", "/console/names");
await page.locator(".judge summary").nth(1).click();
await shoot("names-decline");
await go("register", "/console/register");
await page.fill("#number", "+44 20 7946 0123");
await page.waitForTimeout(600);
await shoot("register-landline");
await page.fill("#number", "+44 7700 900113");
await page.fill("#name", "Lucky Shrub");
await page.waitForTimeout(600);
await page.getByRole("button", { name: "Send the code" }).click();
await page.waitForTimeout(300);
await shoot("register-refused");
await page.fill("#number", "+44 77");
await page.getByRole("button", { name: "Send the code" }).click();
await page.waitForTimeout(300);
await shoot("register-no-number");
await go("register-code", `/console/register/447700900113/code?to=waba:${waba}&by=sms`);
await page.getByLabel("Six-digit code").fill("000000");
await page.getByRole("button", { name: "Confirm and register" }).click();
await page.waitForTimeout(300);
await shoot("register-wrong-code");
await go("register-done", "/console/register/447700900111/done");
await go("explain", "/console/explain/code-too-soon");
await go("not-found", "/console/nowhere");
for (const name of ["sandbox", "overview", "audit", "access", "settings", "signature"]) {
  const path = name === "overview" ? "/console" : `/console/${name}`;
  const reply = await page.goto(server.url + path);
  if (reply.status() === 200) { await page.waitForTimeout(600); await shoot(name); }
}
await go("explorer-list", "/console/explorer/cams");
await go("explorer-operator", "/console/explorer/operator");
for (const tab of ["spaces", "wabas", "clients", "users", "policies", "graph-tokens"]) await go(tab, `/console/access/${tab}`);
await page.locator("#new-account").fill("nobody");
await page.locator("#new-name").fill("shop");
await page.getByRole("button", { name: "Add" }).click();
await shoot("access-refused");
await page.goto(server.url + "/console/access/policies");
await page.locator("#sim-action").fill("cams:ChatappVerifyAndRegister");
await page.getByRole("button", { name: "Simulate" }).click();
await shoot("policies-simulated");
await page.goto(server.url + "/console/audit");
await page.getByRole("button", { name: "Verify the chain" }).click();
await shoot("audit-verified");
await go("audit-none", "/console/audit?number=999");
await page.goto(server.url + "/console/signature");
await page.getByLabel("AccessKey secret").fill("FakeAccessKeySecretForTests0001");
await page.getByLabel("What your program signed").fill("POST\n/\n\nhost:127.0.0.1:8081\n");
await page.getByRole("button", { name: "Sign it step by step" }).click();
await shoot("signature-differs");
await server.ask("POST", "/admin/v1/access-keys", { account: "default" });
await server.ask("POST", "/admin/v1/operators", { name: "eva", role: "operator" });
await server.ask("POST", "/admin/v1/operators", { name: "max" });
await go("access-keys", "/console/access/access-keys");
await go("operators", "/console/access/operators");
await page.goto(server.url + "/console/explorer/cams/ChatappSyncPhoneNumber");
await page.getByRole("button", { name: "Send", exact: true }).click();
await page.locator("#wire-answer").waitFor();
await shoot("explorer-whole");
await page.evaluate(() => window.scrollTo(0, 0));
await shoot("explorer", false);
await go("explorer-onprem", "/console/explorer/onprem/request-code");
await page.getByRole("button", { name: "Send", exact: true }).click();
await page.locator("#wire-answer").waitFor();
await shoot("explorer-refused");

// Locked; a PIN set; faults; a link that resets a PIN.
await server.ask("PATCH", `/admin/v1/wabas/${waba}`, { contact_email: "owner@shop.example" });
await server.ask("PUT", "/admin/v1/numbers/447700900112/two-step", { pin: "246810" });
await server.ask("POST", "/admin/v1/numbers/447700900112/two-step/reset-link", {});
await page.goto(server.url + "/console/sandbox");
const link = page.locator("#inbox").getByRole("link", { name: "Open the link" });
if (await link.count()) {
  await link.first().click();
  await shoot("pin-reset");
}
for (const [dialect, effect] of [["graph", "unavailable"], ["cams", "drop"]]) {
  await page.goto(server.url + "/console/sandbox");
  await page.locator("summary", { hasText: "Add a fault" }).click();
  await page.locator("#dialect").selectOption(dialect);
  await page.locator("#effect").selectOption(effect);
  await page.getByRole("button", { name: "Add a fault" }).click();
}
await shoot("sandbox-faults");
// A part of the server is missing.
const missing = await server.ask("POST", "/sandbox/v1/faults", { dialect: "admin", operation: "request_code", unavailable: true });
if (missing.status !== 201) throw new Error(JSON.stringify(missing.body));
await page.goto(server.url + "/console/register?number=%2B447700900180&name=Garden");
await page.getByRole("button", { name: "Send the code" }).click();
await page.locator(".notice").waitFor();
await shoot("register-unavailable");

// The same in German: words are longer.
await page.getByRole("button", { name: "Deutsch" }).click();
const german = [["overview", ""], ["numbers", "/numbers"], ["number", "/numbers/447700900110"], ["names", "/names"], ["register", "/register"],
  ["register-code", `/register/447700900113/code?to=waba:${waba}&by=sms`], ["register-done", "/register/447700900111/done"], ["sandbox", "/sandbox"],
  ["explorer", "/explorer/onprem/request-code"], ["explorer-operator", "/explorer/operator"], ["signature", "/signature"], ["access", "/access/operators"],
  ["policies", "/access/policies"], ["audit", "/audit"], ["settings", "/settings"], ["upstream", `/upstream/${abroad}`], ["explain", "/explain/code-too-soon"]];
for (const [name, path] of german) await go(`german-${name}`, `/console${path}`);
await page.getByRole("button", { name: "English" }).click();

// Somebody who only looks.
const looks = (await server.ask("POST", "/admin/v1/console-links", { role: "auditor" })).body.url;
await context.clearCookies();
await page.goto(server.url + looks);
await page.getByRole("button").first().click();
for (const [name, path] of [["number", "/numbers/447700900112"], ["names", "/names"], ["explorer", "/explorer/onprem/health"]]) await go(`auditor-${name}`, `/console${path}`);
await server.stop();

// A hundred thousand numbers, out of the ranges that Arcep and ACMA keep for fiction.
const MANY = 100_000;
function fictitious(i) {
  const last = (digits) => String(i).padStart(digits, "0").slice(-digits);
  const french = ["19900", "26191", "35301", "46571", "53649", "63998"];
  const australian = ["25550", "27010", "35550", "37010"];
  if (i < 60_000) return `+33${french[Math.floor(i / 10_000)]}${last(4)}`;
  return `+61${australian[Math.floor(i / 10_000) - 6]}${last(4)}`;
}
if (!only || only.startsWith("many")) {
  const folder = mkdtempSync(join(tmpdir(), "rollcall-many-"));
  const states = ["registered", "registered", "verified", "unverified"];
  const entry = (i) => `[[account.space.waba.number]]\n${i ? "" : "locked = true\n"}phone_number = "${fictitious(i)}"\nverified_name = "${names[i % names.length]}"\nstate = "${states[i % 4]}"\n${i % 4 < 2 ? 'platform = "cloud_api"\n' : ""}`;
  const head = '[[account]]\nname = "default"\n[[account.space]]\ncust_space_id = "shops"\n[[account.space.waba]]\nid = "102290129340398"\nname = "Garden shops"\n';
  const seed = join(folder, "seed.toml");
  writeFileSync(seed, head + Array.from({ length: MANY }, (_, i) => entry(i)).join(""));
  const big = await serve(seed);
  await page.goto(big.link);
  await page.getByRole("button").first().click();
  for (const [name, path] of [["many-overview", "/console"], ["many-numbers", "/console/numbers"], ["many-search", "/console/numbers?q=3363998"], ["many-locked", "/console/numbers/33199000000"]]) {
    const begun = Date.now();
    await page.goto(big.url + path);
    console.log(`${name}: ${Date.now() - begun} ms`);
    await page.waitForTimeout(400);
    await shoot(name);
  }
  await big.stop();
  rmSync(folder, { recursive: true });
}
await stop();
