/**
 * The rules of CONTRIBUTING "How we write" that a program can check, as pure functions: each gives the breaches it finds
 * in a comment, a test title or a document.
 */

/** No sentence opens with these: the reader would wait for its subject. */
const OPENERS =
  /^(Who|Whoever|Whose|What|Nobody|One that|Of (?:a|an|all|each|every|one|what|its|the|those|these|whoever))\b/
/** The field has a word for each of these. */
const BANNED: readonly [pattern: RegExp, instead: string][] = [
  [/\bdoors?\b/i, 'listener, admission or connection'],
  [/\bcrowd(s|ed)?\b/i, 'handshake flood, or the number of clients'],
  [/\bcrumbs?\b/i, 'tiny frames or fragments'],
  [/\b(shard-)?mates?\b/i, 'replicas'],
  [/\b(roster|connection)[- ]books?\b|\bthe book\b/i, 'store or table'],
  [/\bdesks?\b/i, 'engine, registry or console'],
  [/\btold\b/i, 'sent, reported, shown or notified'],
  [/\bheard\b/i, 'received or seen'],
  [/\bmend(s|ed|ing)?\b/i, 'fix or repair'],
  [/\bheld back\b|\bholds? back\b/i, 'back off, or the state "held"'],
  [/\bfor ever\b/i, 'permanently'],
  [/\bwhoever\b/i, 'a client that, a peer that'],
  [/\b(loop|node|it) (is|stays|falls|was) behind\b/i, 'event-loop lag'],
]
/** A title is a whole sentence with its noun, so it cannot begin with these. */
const TITLE_OPENERS = /^(that|of|are|is|was|were|has|have|it|and|or|to|who|whoever|what)\b/i
const COMMENT_LINES_MAX = 6
const SENTENCE_WORDS_MAX = 25

export function commentToBreaches(text: string, lines: number, isHeader: boolean): string[] {
  const prose = text.replaceAll(/`[^`]*`/g, '`code`')
  const breaches = [...bannedWords(prose), ...openers(prose)]
  if (!isHeader && lines > COMMENT_LINES_MAX) breaches.push(`a comment of ${lines} lines; at most ${COMMENT_LINES_MAX}`)
  for (const sentence of toSentences(prose)) {
    const words = sentence.split(/\s+/).length
    // Structures, formulas and lists of fields are no sentences.
    if (words > SENTENCE_WORDS_MAX && !/[{}|;=]/.test(sentence)) {
      breaches.push(`a sentence of ${words} words; at most ${SENTENCE_WORDS_MAX}: ${sentence.slice(0, 60)}`)
    }
  }
  return breaches
}

export function titleToBreaches(text: string, kind: 'test' | 'group'): string[] {
  const breaches = bannedWords(text)
  const opener = kind === 'test' ? TITLE_OPENERS.exec(text)?.[0] : undefined
  if (opener !== undefined) breaches.push(`a title that begins with "${opener}" has no subject`)
  return breaches
}

/** Only the openings, and not in code and tables. */
export function documentToBreaches(text: string): string[] {
  return openers(text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/^\|.*$/gm, ''))
}

function bannedWords(text: string): string[] {
  return BANNED.flatMap(([pattern, instead]) => {
    const found = pattern.exec(text)?.[0]
    return found === undefined ? [] : [`"${found}": say ${instead}`]
  })
}

function openers(text: string): string[] {
  return toSentences(text)
    .filter((sentence) => !sentence.endsWith('?'))
    .flatMap((sentence) => {
      const found = OPENERS.exec(sentence)?.[0]
      return found === undefined ? [] : [`a sentence that opens with "${found}": ${sentence.slice(0, 60)}`]
    })
}

/** Sentences of a comment; a blank line, a list item or a struct line ends one as well. */
export function toSentences(text: string): string[] {
  return text
    .split(/\n\s*\n|\n(?=\s*(?:[-*|@]|\d+\.|```))/)
    .flatMap((paragraph) =>
      paragraph
        .replaceAll(/\s+/g, ' ')
        .trim()
        .split(/(?<=[.!?])\s+(?=[A-Z`"])/),
    )
    .filter((sentence) => sentence !== '')
}
