// The main road of a program in JavaScript, with the official client unchanged but for address and key. Ends with
// status 0 where all of it was as the client promises.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import LinqAPIV3, { PermissionDeniedError } from "@linqapp/sdk";

const PATIENCE = 30_000;
const PERSON = "+15035553001";
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const client = new LinqAPIV3();
const heard = [];

const listener = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  heard.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
  response.end();
});

async function until(what, ask) {
  const giveUp = Date.now() + PATIENCE;
  for (;;) {
    const found = await ask();
    if (found) return found;
    assert(Date.now() < giveUp, `Not ${what} in ${PATIENCE} ms`);
    await sleep(200);
  }
}

const text = (value) => ({ parts: [{ type: "text", value }] });

async function delivered(id) {
  const states = ["delivered", "read"];
  return until("delivered", async () => {
    const message = await client.messages.retrieve(id);
    return states.includes(message.delivery_status) && message;
  });
}

async function all(pages, most) {
  const found = [];
  for await (const one of pages) {
    found.push(one);
    if (found.length === most) break;
  }
  return found;
}

listener.listen(0, "127.0.0.1");
await once(listener, "listening");

const { phone_numbers: lines } = await client.phoneNumbers.list();
const from = lines[0].phone_number;

const subscription = await client.webhookSubscriptions.create({
  target_url: `http://127.0.0.1:${listener.address().port}/hook`,
  subscribed_events: ["message.sent", "message.delivered", "reaction.added"],
});
assert(subscription.signing_secret.startsWith("whsec_"));

const { chat } = await client.chats.create({ from, to: [PERSON], message: text("Your bike is ready") });
await delivered(chat.message.id);

const sent = [];
for (const words of ["It is the blue one", "Come by until six", "Bring the receipt"]) {
  const { message } = await client.chats.messages.send(chat.id, { message: text(words) });
  sent.push(message.id);
}
for (const id of sent) await delivered(id);

await client.messages.addReaction(sent[0], { operation: "add", type: "love" });
const loved = await until("loved", async () => {
  const message = await client.messages.retrieve(sent[0]);
  return message.parts[0].reactions?.length && message;
});
assert.equal(loved.parts[0].reactions[0].type, "love");
assert(loved.parts[0].reactions[0].is_me);

const announced = await client.attachments.create({
  filename: "bike.png",
  content_type: "image/png",
  size_bytes: PIXEL.length,
});
const put = await fetch(announced.upload_url, {
  method: announced.http_method,
  headers: announced.required_headers,
  body: PIXEL,
});
assert(put.ok, `The upload ended in ${put.status}`);
const picture = await client.chats.messages.send(chat.id, {
  message: { parts: [{ type: "media", attachment_id: announced.attachment_id }] },
});
const shown = await delivered(picture.message.id);
assert.equal(shown.parts[0].type, "media");

// Pages of two, and each message once.
const messages = await all(client.chats.messages.list(chat.id, { limit: 2 }));
assert.deepEqual(
  messages.map((message) => message.id),
  [picture.message.id, ...[...sent].reverse(), chat.message.id],
);
const chats = await all(client.chats.listChats({ limit: 1 }), 3);
assert.equal(chats[0].id, chat.id);
assert.equal(new Set(chats.map((one) => one.id)).size, chats.length);

await until("told of everything", () => {
  const types = heard.map(({ body }) => JSON.parse(body).event_type);
  return types.filter((type) => type === "message.delivered").length === 5 && types.includes("reaction.added");
});
for (const { headers, body } of heard) {
  const event = client.webhooks.unwrap(body, { headers, key: subscription.signing_secret });
  assert.equal(event.webhook_version, "2026-02-03");
  assert.throws(() => client.webhooks.unwrap(`${body} `, { headers, key: subscription.signing_secret }));
}
const delivery = heard.map(({ body }) => JSON.parse(body)).find((event) => event.event_type === "message.delivered");
assert([chat.message.id, ...sent, picture.message.id].includes(delivery.data.id));
assert.equal(delivery.data.chat.id, chat.id);

await client.webhookSubscriptions.delete(subscription.id);
const reader = new LinqAPIV3({ apiKey: process.env.READING_KEY });
await assert.rejects(
  reader.chats.messages.send(chat.id, { message: text("No") }),
  (error) => error instanceof PermissionDeniedError && error.error.error.code === 2005,
);
listener.close();
