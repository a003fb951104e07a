/**
 * Parses JSON and refuses an object with one name twice. RFC 8259 leaves open which of two values counts, so two readers
 * could read one manifest in two ways. Throws SyntaxError.
 */

/** A string, or one of the marks that open, close and part objects and arrays. Nothing else matters here. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g

export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  /** The names of each open object; undefined for an open array. */
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':') {
      const name = JSON.parse(last) as string
      const names = open.at(-1)
      if (names?.has(name)) throw new SyntaxError(`the name ${JSON.stringify(name)} stands twice in one object`)
      names?.add(name)
    }
    last = token
  }
  return value
}
