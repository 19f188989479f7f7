// A message on its way to the server, and what its answers mean.
import { headers } from "requests"

// `said` is what the composer holds: text, key, uploads, choices by name, and memo where it is a voice memo.
export function bodyOf({ text, key, uploads, choices, memo }, more = {}) {
  const body = new FormData()
  const fields = { text, key, ...choices, ...(memo ? { is_voice_memo: "on" } : {}), ...more }
  for (const [name, value] of Object.entries(fields)) if (value) body.append(name, value)
  for (const { id } of uploads) body.append("uploads", id)
  return body
}

// { status, html, sequence, problem }; the status is 0 where nobody knows whether it arrived.
export async function post(url, body) {
  const answer = await fetch(url, { method: "POST", headers: headers(), body }).catch(() => null)
  const html = (await answer?.text().catch(() => "")) ?? ""
  const sequence = Number(answer?.headers.get("X-Sequence"))
  return { status: answer?.status ?? 0, ok: Boolean(answer?.ok), html, sequence, problem: problemIn(html) }
}

function problemIn(html) {
  const page = new DOMParser().parseFromString(html, "text/html")
  return page.querySelector(".composer__problem")?.textContent.trim()
}

// The bubble that is there before the server has heard of it, from the composer's model of one.
export function bubbleOf(model, { text, key, uploads, choices, quote, memo }) {
  const bubble = model.content.firstElementChild.cloneNode(true)
  const at = new Date().toISOString()
  Object.assign(bubble.dataset, { key, at, author: document.body.dataset.user })
  if (choices.service) bubble.dataset.service = choices.service.toLowerCase()
  bubble.querySelector("local-time").setAttribute("datetime", at)
  const said = bubble.querySelector(".message__bubble")
  const names = uploads.map((file) => file.name)
  said.innerText = [...(memo ? ["Voice memo"] : names), text.trim()].filter(Boolean).join("\n")
  if (quote) {
    const original = Object.assign(document.createElement("p"), { className: "quote" })
    original.append(Object.assign(document.createElement("span"), { textContent: quote }))
    said.before(original)
  }
  return bubble
}

export function newKey() {
  // Not randomUUID, which is there only behind https.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 15) | 64
  bytes[8] = (bytes[8] & 63) | 128
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}
