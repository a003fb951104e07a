/**
 * The status page's script: turns the code in the link into a session, and draws the page anew every ten seconds.
 * It runs in the browser as its own source text, so it uses nothing but what is inside it.
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
    // Out of the address bar and the history at once; it is spent anyway.
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
      say('This link is spent. Run “geotrace status --page” for a new one.')
      return
    }
    const drawn = new DOMParser().parseFromString(await response.text(), 'text/html').body
    // What the reader opened stays open, and the keyboard where it was.
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
      .catch(() => say('The node does not answer. The figures are the last ones it gave.'))
      .finally(() => setTimeout(again, REFRESH_MS))
  }
  // A new link in the same tab changes nothing but the fragment.
  addEventListener(
    'hashchange',
    () =>
      void enter()
        .then(draw)
        .catch(() => {}),
  )
  enter().then(again, again)
}
