/**
 * The messages of a pool as bytes, in the order in which a peer that was away needs them. PROTOCOL.md §7.5.
 * Every such peer asks for all messages, so each message is encoded once.
 */
import { encodeGossip, type GossipMessage, type GossipSheets } from '@geotrace/core-wasm/wire'

/** Sheets in one message, 98 bytes each. A member that holds more shards sends several messages. */
const SHEETS_PER_MESSAGE = 300
/** Presences are many and are sent again by themselves, so they come last. */
const BY_NEED = [
  'pin',
  'evidence',
  'vote',
  'proposal',
  'nonces',
  'sheets',
  'change',
  'spreads',
  'handover',
  'presence',
] as const

/** An encoded message, and its bytes as a map key. */
interface Encoded {
  readonly bytes: Uint8Array
  readonly name: string
}

interface PoolMessages {
  /** All messages, those that voters need first. */
  all(): Uint8Array[]
  /** Those of `offered` that `all` lacks. */
  missing(offered: readonly Uint8Array[]): Uint8Array[]
  /** This message came in these bytes, which can be passed on, because a message has one encoding only. */
  came(message: GossipMessage, bytes: Uint8Array): void
}

/** `messagesOf`: the messages of a kind that the pool holds now. */
export function poolMessages(messagesOf: (kind: (typeof BY_NEED)[number]) => readonly GossipMessage[]): PoolMessages {
  const encoded = new WeakMap<GossipMessage, readonly Encoded[]>()
  const toEncoded = (message: GossipMessage): readonly Encoded[] => {
    const known = encoded.get(message)
    if (known !== undefined) return known
    const parts = (message.kind === 'sheets' ? toSheetMessages(message) : [message]).map((part) =>
      named(encodeGossip(part)),
    )
    encoded.set(message, parts)
    return parts
  }
  const all = (): Encoded[] => BY_NEED.flatMap(messagesOf).flatMap(toEncoded)
  return {
    all: () => all().map(({ bytes }) => bytes),
    missing(offered) {
      const held = new Set(all().map(({ name }) => name))
      return offered.filter((bytes) => !held.has(toName(bytes)))
    },
    came: (message, bytes) => void encoded.set(message, [named(bytes.slice())]),
  }
}

/** Splits a member's sheets into messages of at most `SHEETS_PER_MESSAGE`. */
export function toSheetMessages(message: GossipSheets): GossipSheets[] {
  const count = Math.ceil(message.sheets.length / SHEETS_PER_MESSAGE)
  return Array.from({ length: count }, (_, i) => {
    const sheets = message.sheets.slice(i * SHEETS_PER_MESSAGE, (i + 1) * SHEETS_PER_MESSAGE)
    return { ...message, sheets }
  })
}

function named(bytes: Uint8Array): Encoded {
  return { bytes, name: toName(bytes) }
}

/** Bytes as a map key: one character a byte. */
function toName(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
