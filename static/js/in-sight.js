// Brings one of a row, or of a column, into the middle of what is seen of it; nothing else on the page scrolls.
export function bringInSight(one) {
  const own = one.getBoundingClientRect(), around = one.parentElement.getBoundingClientRect()
  one.parentElement.scrollBy(own.x + own.width / 2 - around.x - around.width / 2, own.y + own.height / 2 - around.y - around.height / 2)
}
