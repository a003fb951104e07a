/** A region that scrolls sideways on a narrow screen. The keyboard can focus it, so that it can scroll it too. */
import type { ComponentChildren } from 'preact'

interface ScrollableProps {
  label: string
  class?: string
  children: ComponentChildren
}

export function Scrollable({ label, class: own = 'scroll', children }: ScrollableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class={own} aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
