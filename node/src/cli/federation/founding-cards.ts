/**
 * Checks that the cards of a founding fit together, before the manifest freezes them. PROTOCOL.md §4.1. Each error names a
 * card. Throws COMMAND_INVALID.
 */
import type { MemberCard } from '../../membership/new-manifest.ts'
import { networkOf } from '../identity/address-check.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'

/** `paths` are the files of the cards; the last card is that of the central peer. */
export function assertCards(paths: readonly string[], cards: readonly MemberCard[]): void {
  assertDistinct(paths, cards)
  assertOneNetwork(paths, cards)
  const central = cards.at(-1)!
  if (central.seal === undefined)
    invalidCommand(
      `the card ${paths.at(-1)} has no seal key, so it is not that of a central peer`,
      'name the card that `geotrace central init` printed with --central',
    )
  const mixed = cards.slice(0, -1).findIndex(({ operator }) => operator === central.operator)
  if (mixed >= 0)
    invalidCommand(
      `the card ${paths[mixed]} names ${central.operator}, the operator of the central peer, which holds no shard`,
      'give the salt node another operator',
    )
}

function assertDistinct(paths: readonly string[], cards: readonly MemberCard[]): void {
  for (const [i, card] of cards.entries()) {
    const [before, path] = [cards.slice(0, i), paths[i]]
    const twin = before.findIndex(({ peerId }) => peerId === card.peerId)
    if (twin >= 0) invalidCommand(`the cards ${paths[twin]} and ${path} name one node`, 'give each card once')
    const copied = before.findIndex(({ commitment }) => commitment === card.commitment)
    if (copied >= 0)
      invalidCommand(
        `the cards ${paths[copied]} and ${path} have one commitment, so one of them is a copy`,
        'ask both operators to run init again and to send the card that it prints',
      )
    const namesake = before.findIndex(
      ({ operator, operatorKey }) => (operator === card.operator) !== (operatorKey === card.operatorKey),
    )
    if (namesake < 0) continue
    const what =
      before[namesake]!.operator === card.operator
        ? `have one operator name, ${card.operator}, and different operator keys`
        : `have one operator key and different names, ${before[namesake]!.operator} and ${card.operator}`
    invalidCommand(`the cards ${paths[namesake]} and ${path} ${what}`, 'ask both operators for cards of distinct names')
  }
}

/** A public peer cannot dial a loopback address, and a loopback peer cannot be dialled. */
function assertOneNetwork(paths: readonly string[], cards: readonly MemberCard[]): void {
  const networks = cards.map(({ addresses }, i) => networkOf(addresses, `the card ${paths[i]}`))
  const other = networks.findIndex((network) => network !== networks[0])
  if (other < 0) return
  invalidCommand(
    `the card ${paths[other]} names ${networks[other]} addresses such as ${cards[other]!.addresses[0]}, and the card ${paths[0]} names ${networks[0]} ones`,
    'found with public addresses only, or for a trial with loopback addresses only',
  )
}
