/** HTML as text, with everything that is not ours escaped. Pure. */

/** Text that is markup already. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
type Value = string | number | Markup | readonly Markup[]

/** A tagged template: strings and numbers are escaped, markup and lists of it are not. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Markup {
  return new Markup(parts.map((part, i) => (i === 0 ? part : `${write(values[i - 1]!)}${part}`)).join(''))
}

function write(value: Value): string {
  if (value instanceof Markup) return value.text
  if (Array.isArray(value)) return value.map(({ text }: Markup) => text).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
