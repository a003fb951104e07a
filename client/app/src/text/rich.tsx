/** A text of the catalogue with parts that are more than text: `See <a>the settings</a>.` Tags do not nest. */
import type { ComponentChildren } from 'preact'

interface RichProps {
  text: string
  /** For each tag, what its text becomes. */
  parts: Readonly<Record<string, (inner: string) => ComponentChildren>>
}

const TAG = /<(\w+)>(.*?)<\/\1>/g

export function Rich({ text, parts }: RichProps) {
  const pieces: ComponentChildren[] = []
  let at = 0
  for (const { 0: whole, 1: tag, 2: inner, index } of text.matchAll(TAG)) {
    // A name of the person may look like a tag.
    pieces.push(text.slice(at, index), parts[tag!]?.(inner!) ?? whole)
    at = index + whole.length
  }
  return (
    <>
      {pieces}
      {text.slice(at)}
    </>
  )
}
