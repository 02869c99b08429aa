// Drives the official SDKs for Node: a JSON order per line in, a JSON report per line out, in order.
//
//   {"sdk": "typed" | "pop", "config": {…}, "method": "GET" | "POST", "action": "…", "params": {…}}
//   {"returned": {…}}  or  {"thrown": {"name", "code", "status", "message", "data"}}
'use strict';

const readline = require('readline');

const { default: Cams, ...models } = require('@alicloud/cams20200606');
const { Config, OpenApiRequest, Params } = require('@alicloud/openapi-client');
const { RuntimeOptions } = require('@alicloud/tea-util');
const Pop = require('@alicloud/pop-core');

const lowered = (name) => name[0].toLowerCase() + name.slice(1);

// The general call of the SDK, for operations that are younger than it.
async function general(client, action, params) {
  const call = {
    action,
    version: '2020-06-06',
    protocol: 'HTTPS',
    pathname: '/',
    method: 'POST',
    authType: 'AK',
    style: 'RPC',
    reqBodyType: 'formData',
    bodyType: 'json',
  };
  const request = new OpenApiRequest({ query: params });
  const answer = await client.callApi(new Params(call), request, new RuntimeOptions({}));
  return { status: answer.statusCode, headers: answer.headers, body: answer.body };
}

async function typed({ config, action, params }) {
  const client = new Cams(new Config(config));
  const Request = models[`${action}Request`];
  if (!Request) return general(client, action, params);
  const fields = Object.entries(params).map(([name, value]) => [lowered(name), value]);
  const request = new Request(Object.fromEntries(fields));
  const answer = await client[`${lowered(action)}WithOptions`](request, new RuntimeOptions({}));
  return { status: answer.statusCode, headers: answer.headers, body: answer.body.toMap() };
}

async function pop({ config, method, action, params }) {
  const client = new Pop({ ...config, apiVersion: '2020-06-06' }, true);
  const [body, { response }] = await client.request(action, params, { method });
  return { status: response.statusCode, headers: response.headers, body };
}

function told(error) {
  const { name, code, message, data, entry } = error;
  const status = error.statusCode || (data && data.statusCode) || (entry && entry.response.statusCode);
  return { name, code, status, message, data, detail: error.accessDeniedDetail };
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    let report;
    try {
      report = { returned: await (order.sdk === 'typed' ? typed(order) : pop(order)) };
    } catch (error) {
      report = { thrown: told(error) };
    }
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }
  process.exit(0);
}

main();
