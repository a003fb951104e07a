/**
 * Finds the elements of an XML text that hold entries, so that each can be parsed alone. A broken element then costs one
 * entry, and the event loop gets its turns. Entities, comments, CDATA and the document type are skipped.
 */

export interface XmlPart {
  kind: 'element' | 'open' | 'close'
  /** Without the prefix. */
  name: string
  /** As in `gx:`, or empty. */
  prefix: string
  /** Offsets in the text: the whole element, or the tag alone. */
  start: number
  end: number
  /** False when the element has no end tag before the next element of its kind, or before the end of the text. */
  complete: boolean
}

interface XmlNames {
  /** Elements that are wanted whole. */
  elements: ReadonlySet<string>
  /** Elements whose tags are wanted. */
  tags: ReadonlySet<string>
}

/** A tag has no `<` inside, so that a search ends at the next tag and the cost stays linear in hostile files. */
const TAG = /<(\/?)([\w.-]+:)?([\w.-]+)((?:[^"'<>]*(?:"[^"<]*"|'[^'<]*'))*[^"'<>]*)>/y
const SKIPPED: readonly [from: string, to: string][] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
]

export function* xmlParts(text: string, { elements, tags }: XmlNames): Generator<XmlPart> {
  let open: XmlPart | undefined
  let at = text.indexOf('<')
  for (; at >= 0; at = text.indexOf('<', at)) {
    const skipped = skip(text, at)
    if (skipped > at) {
      at = skipped
      continue
    }
    TAG.lastIndex = at
    const tag = TAG.exec(text)
    if (tag === null) {
      at++
      continue
    }
    const [all, slash = '', prefix = '', name = '', rest = ''] = tag
    const part = { name, prefix, start: at, end: at + all.length, complete: true }
    at = part.end
    const empty = rest.endsWith('/')
    if (elements.has(name)) {
      if (slash === '') {
        if (open !== undefined) yield { ...open, end: part.start, complete: false }
        open = { ...part, kind: 'element' }
        if (!empty) continue
      }
      if (open?.name === name) {
        yield { ...open, end: part.end }
        open = undefined
      }
    } else if (tags.has(name) && open === undefined) {
      if (slash === '') yield { ...part, kind: 'open' }
      if (slash !== '' || empty) yield { ...part, kind: 'close' }
    }
  }
  if (open !== undefined) yield { ...open, end: text.length, complete: false }
}

/** The name of the first element, without its prefix. */
export function xmlRoot(text: string): string | undefined {
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    const skipped = skip(text, at)
    if (skipped === at) {
      TAG.lastIndex = at
      return TAG.exec(text)?.[3]
    }
    at = skipped
  }
  return undefined
}

/** The end of the comment, section, instruction or document type that begins at `at`; `at` itself when none begins. */
function skip(text: string, at: number): number {
  if (text[at + 1] !== '!' && text[at + 1] !== '?') return at
  for (const [from, to] of SKIPPED) if (text.startsWith(from, at)) return after(text, to, at + from.length)
  const [end, subset] = [after(text, '>', at), text.indexOf('[', at)]
  return subset >= 0 && subset < end ? after(text, ']>', at) : end
}

function after(text: string, to: string, from: number): number {
  const at = text.indexOf(to, from)
  return at < 0 ? text.length : at + to.length
}
