// A part of every page under test. It reports the text that the page writes into its <output> or its error, and the
// requests that the policy refused. Then it opens the page that the test names next.
const output = document.querySelector('output')
const refused = []
let isReported = false

async function report(outcome) {
  if (isReported) return
  isReported = true
  const response = await fetch('/report', { method: 'POST', body: JSON.stringify({ ...outcome, refused }) })
  const next = await response.text()
  if (next) location.replace(next)
}

new MutationObserver(() => report({ text: output.textContent })).observe(output, { childList: true })
document.addEventListener('securitypolicyviolation', ({ blockedURI }) => {
  // Firefox requests an icon that no page names, sometimes before the page is done.
  if (!blockedURI.endsWith('/favicon.ico')) refused.push(blockedURI)
})
addEventListener('unhandledrejection', ({ reason }) => report({ error: reason?.code ?? String(reason) }))
// The error of a script that does not load reaches only listeners of the capture phase.
const failed = ({ error, message, target }) => report({ error: error?.code ?? message ?? `no ${target.src}` })
addEventListener('error', failed, true)
