// What every request of ours carries: that a fragment is wanted, and the proof that it comes from our page.
export function headers() {
  return { "HX-Request": "true", ...JSON.parse(document.body.getAttribute("hx-headers") || "{}") }
}
