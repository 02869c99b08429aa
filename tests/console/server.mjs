// A Rollcall server of its own for a test, and a browser that looks at its console.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.env.CONSOLE_NODE, "package.json"));
const { chromium } = require("playwright-core");
export const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** Starts `rollcall serve` on a free port with a new data folder, and settings as variables. */
export async function serve(seed, settings = {}) {
  const data = mkdtempSync(join(tmpdir(), "rollcall-console-"));
  const extra = seed ? ["--seed", seed] : [];
  const child = spawn(process.env.ROLLCALL ?? "target/debug/rollcall",
    ["serve", "--data", data, "--listen", "127.0.0.1:0", ...extra],
    { stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, ...settings } });
  // Also when the test ends by an error.
  process.once("exit", () => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  let url;
  for await (const line of lines) {
    url ??= line.match(/^listening on (http:\S+)/)?.[1];
    if (url) break;
  }
  if (!url) throw new Error("the server did not start");
  const token = readFileSync(join(data, "operator.token"), "utf8").trim();
  const ask = async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const reply = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await reply.text();
    return { status: reply.status, body: text ? JSON.parse(text) : null };
  };
  const link = url + (await ask("POST", "/admin/v1/console-links", {})).body.url;
  return {
    url, link, token, ask, data,
    async stop() {
      child.kill("SIGTERM");
      await new Promise((done) => child.once("exit", done));
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** A browser with a profile of its own. */
export async function browse() {
  const profile = mkdtempSync(join(tmpdir(), "rollcall-browser-"));
  const options = { executablePath: "/usr/bin/chromium", args: FLAGS, headless: true };
  const context = await chromium.launchPersistentContext(profile, {
    ...options, viewport: { width: 1280, height: 860 }, locale: "en-GB", timezoneId: "Europe/Berlin",
    // No colour on its way to another one: what is judged has come to rest.
    reducedMotion: "reduce",
  });
  return {
    context,
    async stop() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Registers a number through the operator's API, all the way. */
export async function register(server, number, name, party = { client: "default" }) {
  const path = `/admin/v1/numbers/${number.replace("+", "")}`;
  const order = { ...party, method: "sms", name };
  const asked = await server.ask("POST", `${path}/request-code`, order);
  if (asked.status >= 300) throw new Error(JSON.stringify(asked.body));
  if (asked.status === 200) return;
  const wait = `/sandbox/v1/inbox/wait?number=${encodeURIComponent(number)}&timeout=60s`;
  const { body } = await server.ask("GET", wait);
  const done = await server.ask("POST", `${path}/verify-code`, { ...party, code: body.code });
  if (done.status !== 200) throw new Error(JSON.stringify(done.body));
}
