/**
 * The script of the status page: exchanges the code in the link for a session and redraws the page every ten seconds.
 * The browser gets the source text of `run`, so `run` must not use anything outside itself.
 */
export const SCRIPT = `(${run.toString()})()`

function run(): void {
  const REFRESH_MS = 10_000
  const KEY = 'geotrace-session'
  const main = document.querySelector('main') as HTMLElement
  const notice = document.getElementById('notice') as HTMLElement
  const say = (text: string): void => {
    if (notice.textContent !== text) notice.textContent = text
  }

  const enter = async (): Promise<void> => {
    const code = location.hash.slice(1)
    if (code === '') return
    // Remove the code from the address bar and the history, because the code works only once.
    history.replaceState(null, '', '/')
    const response = await fetch('/session', { method: 'POST', body: JSON.stringify(code) })
    if (response.ok) sessionStorage.setItem(KEY, (await response.json()).session)
  }

  const draw = async (): Promise<void> => {
    const session = sessionStorage.getItem(KEY)
    const response =
      session === null ? undefined : await fetch('/page', { headers: { authorization: `Bearer ${session}` } })
    if (response === undefined || response.status === 401) {
      main.setAttribute('aria-busy', 'false')
      say('This link was used before. For a new link, run “geotrace status --page”.')
      return
    }
    const drawn = new DOMParser().parseFromString(await response.text(), 'text/html').body
    // Keep opened details open, and the keyboard focus at its place.
    for (const { id } of document.querySelectorAll('details[open]'))
      drawn.querySelector(`#${id}`)?.setAttribute('open', '')
    const focused = document.activeElement?.closest('details')?.id
    main.replaceChildren(...drawn.childNodes)
    main.setAttribute('aria-busy', 'false')
    if (focused) document.querySelector<HTMLElement>(`#${focused} summary`)?.focus({ preventScroll: true })
    const title = document.querySelector('h1')?.textContent ?? ''
    document.title = `${title} · Geo Trace salt node`
    say('')
  }

  const again = (): void => {
    draw()
      .catch(() => say('The node does not answer. These are its last figures.'))
      .finally(() => setTimeout(again, REFRESH_MS))
  }
  // A new link in the same tab changes only the fragment, which loads no page.
  addEventListener(
    'hashchange',
    () =>
      void enter()
        .then(draw)
        .catch(() => {}),
  )
  enter().then(again, again)
}
