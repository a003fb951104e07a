// Part of every page under test: reports what the page writes into its <output>, or what went wrong, and what the policy
// refused meanwhile; then goes to the page that the test names next.
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
  // Firefox asks for an icon that no page names, sometimes before the page is done.
  if (!blockedURI.endsWith('/favicon.ico')) refused.push(blockedURI)
})
addEventListener('unhandledrejection', ({ reason }) => report({ error: reason?.code ?? String(reason) }))
// A script that does not load tells only those who listen on the way down to it.
const failed = ({ error, message, target }) => report({ error: error?.code ?? message ?? `no ${target.src}` })
addEventListener('error', failed, true)
