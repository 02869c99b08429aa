// What the console shows of states: of numbers, of a registrar upstream, and of names that turn what is beside them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { register, serve } from "./server.mjs";

const WABA = "102290129340398";

/** The label of each tile and what stands below it. */
const tiles = (page) => page.locator("dl.tiles").first().evaluate((list) =>
  Object.fromEntries([...list.children].map((it) => [it.querySelector("dt").innerText.trim(), it.querySelector("dd").innerText.trim()])));

/** Starts a server and logs into its console. */
async function open({ page, ours }, seed, settings) {
  const server = await serve(seed, settings);
  ours.push(server.url);
  await page.context().clearCookies();
  await page.goto(server.link);
  await page.getByRole("button", { name: "Open the console" }).click();
  return server;
}

/** A seed file with numbers as `rows` say. */
function seedFile(folder, rows) {
  const head = `[[account]]\nname = "default"\n[[account.space]]\ncust_space_id = "shops"\n[[account.space.waba]]\nid = "${WABA}"\nname = "Garden shops"\n`;
  const path = join(folder, "seed.toml");
  writeFileSync(path, head + rows.map((row) => `[[account.space.waba.number]]\n${row}\n`).join(""));
  return path;
}

export async function states(browser) {
  const { fact, page, complaints } = browser;

  await fact("the overview counts numbers in each state, and says so where nothing happened", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rollcall-states-"));
    const row = (last, state) => `phone_number = "+4477009001${last}"\nverified_name = "Lucky Shrub"\n${state}`;
    const seed = seedFile(folder, [
      row("01", 'state = "registered"\nplatform = "cloud_api"'), row("02", 'state = "registered"\nplatform = "cloud_api"\nlocked = true'),
      row("03", 'state = "verified"'), row("04", 'state = "unverified"'), row("05", 'state = "unverified"'),
    ]);
    const server = await open(browser, seed);
    assert.deepEqual(await tiles(page), { Registered: "2", Verified: "1", "Awaiting code": "0", Unverified: "2", Locked: "1" });
    assert.equal(await page.locator(".chart").count(), 0);
    // The wizard knows what is known of a number.
    await page.goto(`${server.url}/console/numbers/447700900105`);
    await page.getByRole("link", { name: "Request a code" }).click();
    assert.equal(await page.locator("#number").inputValue(), "+44 7700 900105");
    assert.equal(await page.locator("#name").inputValue(), "Lucky Shrub");
    assert.equal(await page.locator("#to").inputValue(), `waba:${WABA}`);
    await page.getByRole("button", { name: "Send the code" }).click();
    await page.getByRole("button", { name: "Use this code" }).waitFor();
    await page.goto(`${server.url}/console`);
    assert.deepEqual(await tiles(page), { Registered: "2", Verified: "1", "Awaiting code": "1", Unverified: "1", Locked: "1" });
    await page.locator(".chart .u-over").waitFor();
    assert.deepEqual(await complaints(), []);
    // Fourteen days later the proof is too old, and the code long was.
    await server.ask("POST", "/sandbox/v1/clock", { advance_seconds: 14 * 86_400 });
    await page.reload();
    assert.deepEqual(await tiles(page), { Registered: "2", Verified: "0", "Awaiting code": "0", Unverified: "3", Locked: "1" });
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  await fact("a registrar upstream shows what differs there, and that it is not called for a while", async () => {
    const limits = { ROLLCALL__GRAPH__WABA_CALLS_PER_HOUR: "20", ROLLCALL__GRAPH__REGISTERED_WABA_CALLS_PER_HOUR: "20" };
    const meta = await serve(null, limits);
    const server = await open(browser);
    const { token } = (await meta.ask("POST", "/admin/v1/graph-tokens", { account: "default", name: "us" })).body;
    const far = (await meta.ask("GET", "/admin/v1/wabas")).body.items[0].id;
    await server.ask("POST", "/admin/v1/wabas", { space: "default", id: WABA, name: "Abroad" });
    const upstream = { registrar: "meta", base_url: meta.url, token, remote_id: far };
    const set = await server.ask("PUT", `/admin/v1/wabas/${WABA}/upstream`, upstream);
    assert.equal(set.status, 200, JSON.stringify(set.body));
    await page.goto(`${server.url}/console/upstream/${WABA}`);
    await page.getByText("nothing heard lately").waitFor();
    for (const number of ["447700900151", "447700900152"]) {
      await server.ask("POST", `/admin/v1/numbers/${number}/request-code`, { waba: WABA, method: "sms", name: "Lucky Shrub" });
      const { body } = await meta.ask("GET", `/sandbox/v1/inbox/wait?number=%2B${number}&timeout=60s`);
      const done = await server.ask("POST", `/admin/v1/numbers/${number}/verify-code`, { waba: WABA, code: body.code });
      assert.equal(done.status, 200, JSON.stringify(done.body));
    }
    // Given up there, and nobody told us.
    await meta.ask("POST", "/admin/v1/numbers/447700900151/deregister", {});
    await page.goto(`${server.url}/console/upstream/${WABA}`);
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.getByText("Compared.").waitFor();
    const row = (number) => page.locator("tbody tr", { hasText: number });
    assert.equal(await row("+44 7700 900151").locator(".dot.bad").count(), 1);
    assert.equal(await row("+44 7700 900152").locator(".dot").count(), 0);
    assert.ok((await page.locator("tbody tr").first().innerText()).includes("+44 7700 900151"), "what differs comes first");
    assert.equal((await tiles(page)).Differ, "1");
    await page.goto(`${server.url}/console/upstream/${WABA}`);
    await page.getByRole("button", { name: "Deutsch" }).click();
    await page.getByText("hier registriert; dort nicht (DISCONNECTED)").waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page.getByText(/^\d+ % used/).waitFor();
    // Every call counts there; once nearly all are used, none is made.
    const closed = page.getByText("Its own limit is all but reached");
    for (let i = 0; i < 25 && !(await closed.count()); i++) {
      await page.getByRole("button", { name: "Compare now" }).click();
      await page.locator(".notice").first().waitFor();
    }
    assert.equal(await closed.count(), 1);
    assert.equal(await page.locator(".notice time").count(), 1);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 860 });
      assert.deepEqual(await complaints(), []);
    }
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.getByText("The registrar upstream is not reached.").waitFor();
    await server.stop();
    await meta.stop();
  });

  await fact("the explorer lists the operator's API, the live audit trail included", async () => {
    const server = await open(browser);
    await page.goto(`${server.url}/console/explorer/cams`);
    await page.getByRole("link", { name: "Operator", exact: true }).click();
    const rows = page.locator("table.calls tbody tr");
    assert.ok((await rows.count()) > 60);
    assert.match(await rows.filter({ hasText: "/audit/live" }).innerText(), /^GET \/audit\/live\s+\S/);
    assert.match(await page.locator("#sample").innerText(), new RegExp(`^curl .*'${server.url}/admin/v1/audit/live'$`));
    assert.deepEqual(await complaints(), []);
    await server.stop();
  });

  await fact("a name is set apart from its neighbours wherever it is shown, and one that turns them is refused", async () => {
    const server = await open(browser, null, { ROLLCALL__NAMES__REVIEW: "true" });
    const number = "447700900161", name = "مطعم 24 (7)", next = "בית קפה 365";
    await server.ask("POST", "/admin/v1/wabas", { space: "default", id: WABA, name });
    await register(server, `+${number}`, name, { waba: WABA });
    const token = (await server.ask("POST", "/admin/v1/graph-tokens", { account: "default", name: "shop" })).body.token;
    const claim = (await server.ask("GET", `/admin/v1/numbers/${number}`)).body.claims[0].id;
    const asked = await fetch(`${server.url}/v22.0/${claim}?new_display_name=${encodeURIComponent(next)}`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    assert.equal(asked.status, 200, await asked.text());
    const loose = [];
    let shown = 0;
    for (const place of ["", "/numbers", `/numbers/${number}`, "/names", "/register", `/register/${number}/done`, "/audit", "/access/wabas"]) {
      await page.goto(`${server.url}/console${place}`);
      const found = await page.evaluate((names) => {
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
          for (const name of names.filter((it) => node.data.includes(it))) {
            const apart = node.data.trim() === name && getComputedStyle(node.parentElement).unicodeBidi.startsWith("isolate");
            found.push({ text: node.data.trim(), apart: apart || node.data.includes(`\u2068${name}\u2069`) });
          }
        }
        return found;
      }, [name, next]);
      shown += found.length;
      loose.push(...found.filter((it) => !it.apart).map((it) => `${place}: ${it.text}`));
    }
    assert.deepEqual(loose, []);
    assert.ok(shown >= 10, `${shown} times`);
    // Refused where it is typed, in words, and nothing was sent.
    await page.goto(`${server.url}/console/register?number=%2B447700900162&to=waba:${WABA}`);
    await page.locator("#name").fill("Pay\u202emoc.knab");
    await page.getByRole("button", { name: "Send the code" }).click();
    await page.getByText(/U\+202E/).first().waitFor();
    assert.equal(await page.locator("#name").getAttribute("aria-invalid"), "true");
    assert.equal((await server.ask("GET", "/admin/v1/numbers/447700900162")).status, 404);
    await server.stop();
  });
}
