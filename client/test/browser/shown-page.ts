/** Agrees in the quickstart's page, and copies its text into the page's output once it has synced and received a position. */
const EXPECTED = ['hashes deposited', 'not kept: too inaccurate']
/** After this time the text is copied as it is, so that the test fails with it. */
const WAIT_MS = 60_000
const LOOK_MS = 100

const output = document.querySelector('output')!
const endsAt = Date.now() + WAIT_MS
const timer = setInterval(() => {
  document.querySelector('button')?.click()
  const shown = document.body.textContent
  if (Date.now() < endsAt && !EXPECTED.every((text) => shown.includes(text))) return
  clearInterval(timer)
  output.textContent = `shown: ${shown}`
}, LOOK_MS)
