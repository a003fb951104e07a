/** Copies the text of the quickstart's page into the page's output, once it has synced and received a position. */
const EXPECTED = ['hashes deposited', 'not kept: inaccurate']
/** After this time the text is copied as it is, so that the test fails with it. */
const WAIT_MS = 60_000
const LOOK_MS = 100

const output = document.querySelector('output')!
const endsAt = Date.now() + WAIT_MS
const timer = setInterval(() => {
  const shown = document.body.textContent
  if (Date.now() < endsAt && !EXPECTED.every((text) => shown.includes(text))) return
  clearInterval(timer)
  output.textContent = `shown: ${shown}`
}, LOOK_MS)
