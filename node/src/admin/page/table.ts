/** A table of the status page that scrolls sideways on a narrow screen. Pure. */
import { type ComponentChildren, h, type JSX } from 'preact'

export function table(heads: readonly string[], rows: readonly (readonly ComponentChildren[])[]): JSX.Element {
  const head = heads.map((text) => h('th', { scope: 'col' }, text))
  const body = rows.map((row) => {
    const cells = row.map((cell) => h('td', null, cell))
    return h('tr', null, cells)
  })
  return h('div', { class: 'scroll' }, h('table', null, h('thead', null, h('tr', null, head)), h('tbody', null, body)))
}
