/** Reads one element of XML with fast-xml-parser. Entities stay as they are. Throws EntryError. */
import { XMLParser } from 'fast-xml-parser'
import { EntryError } from '../fields/entry-error.ts'

/** A text, or children by their name with its prefix; attributes have the prefix `@`, the text beside them is `#text`. */
export type XmlNode = string | { readonly [name: string]: XmlNode | readonly XmlNode[] }

const TEXT = '#text'
const ATTRIBUTE = '@'
/** Longer elements are no point: a point with all extensions takes some 2 KB. */
const CHARACTERS_MAX = 64 * 1024

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  textNodeName: TEXT,
  parseTagValue: false,
  processEntities: false,
})

export function parseElement(text: string): XmlNode {
  if (text.length > CHARACTERS_MAX) throw new EntryError('malformed', 'the element is too long')
  try {
    const root = Object.values(parser.parse(text) as Record<string, XmlNode | XmlNode[]>)[0]
    return (Array.isArray(root) ? root[0] : (root as XmlNode)) ?? ''
  } catch {
    throw new EntryError('malformed', 'the element is not XML')
  }
}

export function attribute(node: XmlNode, name: string): string | undefined {
  const value = typeof node === 'string' ? undefined : node[ATTRIBUTE + name]
  return typeof value === 'string' ? value : undefined
}

/** All children of this name; the name contains the prefix, as in `gx:coord`. */
export function children(node: XmlNode, name: string): readonly XmlNode[] {
  const found = typeof node === 'string' || !Object.hasOwn(node, name) ? [] : node[name]!
  return Array.isArray(found) ? found : [found as XmlNode]
}

export function nodeToText(node: XmlNode | undefined): string | undefined {
  if (node === undefined || typeof node === 'string') return node
  const text = node[TEXT]
  return typeof text === 'string' ? text : ''
}

/** Names without prefix and texts of all elements and attributes inside the node, at any depth. */
export function* namedTexts(node: XmlNode): Generator<readonly [name: string, text: string]> {
  if (typeof node === 'string') return
  for (const [name, value] of Object.entries(node)) {
    const local = name.slice(name.lastIndexOf(':') + 1)
    for (const child of Array.isArray(value) ? value : [value as XmlNode]) {
      if (name.startsWith(ATTRIBUTE)) yield [name.slice(ATTRIBUTE.length), child as string]
      else {
        yield [local, nodeToText(child) ?? '']
        yield* namedTexts(child)
      }
    }
  }
}

/** The one time among these. Throws EntryError when they differ. */
export function onlyTime(nodes: readonly XmlNode[]): string | undefined {
  const times = [...new Set(nodes.map((node) => nodeToText(node)?.trim() ?? ''))].filter((time) => time !== '')
  if (times.length > 1)
    throw new EntryError('time-ambiguous', `the point has the times ${times.slice(0, 2).join(' and ')}`)
  return times[0]
}
