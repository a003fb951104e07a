/** What a page has shown once the quickstart has synced and was given a position, in the page's output. */
const EXPECTED = ['hashes deposited', 'not kept: inaccurate']
/** Then the test sees what there is. */
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
