// Makes screenshots of every page: light, dark, and on a phone. `./test pictures`.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browse, register, serve } from "./server.mjs";

const folder = process.argv[2] ?? "target/screenshots";
const only = process.argv[3];
mkdirSync(folder, { recursive: true });

const server = await serve(null, { ROLLCALL__NAMES__REVIEW: "true" });
const { context, stop } = await browse();
const page = context.pages()[0] ?? (await context.newPage());

await page.goto(server.url + "/console/login");
const shots = [["login", null]];
const ways = [["light", { width: 1280, height: 860 }], ["dark", { width: 1280, height: 860 }], ["phone", { width: 390, height: 844 }]];

async function shoot(name, fullPage = true) {
  if (only && !name.includes(only)) return;
  for (const [way, size] of ways) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: way === "dark" ? "dark" : "light" });
    await page.waitForTimeout(120);
    await page.screenshot({ path: join(folder, `${name}-${way}.png`), fullPage });
  }
  await page.setViewportSize({ width: 1280, height: 860 });
}

await shoot("login");
await page.goto(server.link);
await shoot("enter");
await page.getByRole("button").first().click();
await page.goto(server.url + "/console/numbers");
await shoot("numbers-empty");
await page.goto(server.url + "/console/names");
await shoot("names-empty");

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

const go = async (name, path) => {
  await page.goto(server.url + path);
  await page.waitForTimeout(400);
  await shoot(name);
};
await go("numbers", "/console/numbers");
await go("numbers-none", "/console/numbers?q=999");
await go("number", "/console/numbers/447700900110");
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
await go("register-code", `/console/register/447700900113/code?to=waba:${waba}&by=sms`);
await go("register-done", "/console/register/447700900111/done");
await go("explain", "/console/explain/code-too-soon");
await go("not-found", "/console/nowhere");
for (const name of ["sandbox", "overview", "audit", "access", "settings", "signature"]) {
  const path = name === "overview" ? "/console" : `/console/${name}`;
  const reply = await page.goto(server.url + path);
  if (reply.status() === 200) { await page.waitForTimeout(600); await shoot(name); }
}
await go("explorer-list", "/console/explorer/cams");
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
if (!only || "many".includes(only)) {
  const folder = mkdtempSync(join(tmpdir(), "rollcall-many-"));
  const states = ["registered", "registered", "verified", "unverified"];
  const entry = (i) => `[[account.space.waba.number]]\nphone_number = "${fictitious(i)}"\nverified_name = "${names[i % names.length]}"\nstate = "${states[i % 4]}"\n${i % 4 < 2 ? 'platform = "cloud_api"\n' : ""}`;
  const head = '[[account]]\nname = "default"\n[[account.space]]\ncust_space_id = "shops"\n[[account.space.waba]]\nid = "102290129340398"\nname = "Garden shops"\n';
  const seed = join(folder, "seed.toml");
  writeFileSync(seed, head + Array.from({ length: MANY }, (_, i) => entry(i)).join(""));
  const big = await serve(seed);
  await page.goto(big.link);
  await page.getByRole("button").first().click();
  for (const [name, path] of [["many-overview", "/console"], ["many-numbers", "/console/numbers"], ["many-search", "/console/numbers?q=3363998"]]) {
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
