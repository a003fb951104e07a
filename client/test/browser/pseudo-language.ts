/**
 * A language that nobody speaks, made of German while a test loads it. Each letter becomes one of the Hebrew script, which runs
 * from right to left. A text that still has Latin letters does not come from the catalogue.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'

/** Names of people in the lab and of the app, and a unit that `Intl` writes in Latin letters in every language. */
const NAMES = ['Ada', 'Ben', 'Geo Trace', 'kB']

/** Serves the German texts of the build in `folder` as the pseudo language. */
export async function speakPseudo(context: BrowserContext, folder: string): Promise<void> {
  await context.route(/\/assets\/de(-later)?-[^/]+\.js$/, async (route) => {
    const code = await readFile(join(folder, new URL(route.request().url()).pathname), 'utf8')
    const exported = /export\s*\{\s*([\w$]+) as (de|later)\s*\};?\s*$/
    if (!exported.test(code)) throw new Error('the built catalogue expected one export')
    const body = code.replace(
      exported,
      (_, own: string, name: string) => `const pseudo=(${wrap.toString()})(${own});export{pseudo as ${name}}`,
    )
    await route.fulfill({ body, contentType: 'text/javascript' })
  })
}

/** Runs in the page. `catalogue`: a function that makes the texts, or a language with two of them. */
function wrap(catalogue: any): unknown {
  const mark = (value: any): unknown => {
    if (typeof value === 'string') {
      return value.replace(/<[^>]*>|\p{Script=Latin}/gu, (part) =>
        part.length > 1 ? part : String.fromCodePoint(0x5d0 + (part.toLowerCase().codePointAt(0)! % 27)),
      )
    }
    if (typeof value === 'function') return (...given: unknown[]) => mark(value(...given))
    if (Array.isArray(value)) return value.map(mark)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mark(item)]))
  }
  if (typeof catalogue === 'function') return (...given: unknown[]) => mark(catalogue(...given))
  const { words, first } = catalogue
  return {
    ...{ locale: 'he', dir: 'rtl' },
    words: (n: unknown) => mark(words(n)),
    first: (n: unknown) => mark(first(n)),
  }
}

/** Texts with Latin letters that a person would read or hear. The page marks the parts that nobody translates. */
export function latinTexts(page: Page): Promise<string[]> {
  return page.evaluate((names) => {
    const own = '[translate=no], body [lang], script, style, noscript'
    const texts: string[] = [document.title]
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (node.parentElement?.closest(own) === null) texts.push(node.textContent ?? '')
    }
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext']) {
      for (const element of document.body.querySelectorAll(`[${name}]`)) {
        if (element.closest(own) === null) texts.push(`${element.getAttribute(name)}`)
      }
    }
    const rest = (text: string) => names.reduce((left, name) => left.replaceAll(name, ''), text)
    return texts.filter((text) => /\p{Script=Latin}{2}/u.test(rest(text)))
  }, NAMES)
}

/** Elements whose text is wider than they are, so that a part is cut or covers its neighbour. */
export function cutTexts(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [
      ...document.querySelectorAll<HTMLElement>(
        'button, .button, .nav, .nav span, h1, h2, h3, p, label, dt, dd, li, summary',
      ),
    ]
      .filter((element) => element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1)
      // Some lists scroll sideways on purpose.
      .filter((element) => element.closest('.stepper, .layers, .scroll, .fields, .hexdump') === null)
      .map((element) => `${element.tagName} ${element.className} ${element.textContent?.slice(0, 60)}`),
  )
}
