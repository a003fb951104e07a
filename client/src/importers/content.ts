/** Finds out what the bytes of a file are: text in one of the Unicode encodings, a FIT file, or no track at all. */

export type Content =
  | { kind: 'text'; encoding: 'utf-8' | 'utf-16le' | 'utf-16be' }
  | { kind: 'fit' }
  | { kind: 'other'; name: string }

/** As many bytes as `bytesToContent` looks at. */
export const HEAD_BYTES = 16

const SIGNATURES: readonly [bytes: string, name: string][] = [
  ['PK\x03\x04', 'a ZIP archive; unpack the archive and choose a track inside'],
  ['PK\x05\x06', 'an empty ZIP archive; choose a track'],
  ['\x1f\x8b', 'compressed with gzip; unpack the file and choose the track inside'],
  ['7z\xbc\xaf', 'a 7-Zip archive; unpack the archive and choose a track inside'],
  ['Rar!', 'a RAR archive; unpack the archive and choose a track inside'],
  ['%PDF', 'a PDF document; export the track as GPX'],
  ['SQLite format 3', 'an SQLite database; export the track as GPX'],
  ['\x89PNG', 'a picture; choose a track'],
  ['\xff\xd8\xff', 'a picture; choose a track'],
]
const FIT_SIGNATURE = '.FIT'
const FIT_SIGNATURE_AT = 8

/** `head` has the first `HEAD_BYTES` bytes, or fewer when the file is shorter. */
export function bytesToContent(head: Uint8Array): Content {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES))
  if (text.startsWith(FIT_SIGNATURE, FIT_SIGNATURE_AT)) return { kind: 'fit' }
  const known = SIGNATURES.find(([bytes]) => text.startsWith(bytes))
  if (known !== undefined) return { kind: 'other', name: known[1] }
  if (text.startsWith('\xff\xfe')) return { kind: 'text', encoding: 'utf-16le' }
  if (text.startsWith('\xfe\xff')) return { kind: 'text', encoding: 'utf-16be' }
  // Tracks begin with ASCII signs. In UTF-16 each of them has a zero byte beside it.
  if (/^[^\0]\0[^\0]\0/.test(text)) return { kind: 'text', encoding: 'utf-16le' }
  if (/^\0[^\0]\0[^\0]/.test(text)) return { kind: 'text', encoding: 'utf-16be' }
  if (text.includes('\0')) return { kind: 'other', name: 'no text; choose a track' }
  return { kind: 'text', encoding: 'utf-8' }
}
