/**
 * A15: the central peer's database and log, alone and with help, tell which address belongs to which pseudonym. The files and
 * the log are searched for the addresses of all devices. The live central peer then sees the requester of each sync.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToHex, EVALUATE_PROTOCOL, peerIdToKey, RELAY_PROTOCOL, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { DEMO_AUTHORITY } from '../../src/local/local-federation.ts'
import type { Attack, Figure } from '../lab/attack.ts'
import { filesBelow } from '../lab/dump.ts'
import type { Lab } from '../lab/lab.ts'
import type { Seen } from '../lab/residents.ts'

const ASKED: readonly string[] = [SALT_PROTOCOL.id, EVALUATE_PROTOCOL.id]

export const centralRecords: Attack = {
  name: 'A15',
  title: 'The central database and log, and the central peer itself, link pseudonyms to addresses',
  attacker: 'the files and the log of the central peer; then its live connections; then one salt node as well',
  meaning: 'The share of the pseudonyms whose address the running central peer learns alone.',
  limit:
    'A relay that colludes shows the addresses of the syncs that it forwards, one in as many as there are members. A salt node that colludes links by time: the busier the federation, the worse it guesses, and the lab is quiet.',
  isQuick: true,
  run: (lab) => Promise.resolve(search(lab)),
}

function search(lab: Lab): Figure {
  const { dir, residents, log } = lab
  const files = filesBelow(join(dir, DEMO_AUTHORITY)).map((path) => readFileSync(path))
  const written = [...files, Buffer.from(log.join('\n'))]
  const recorded = residents.filter(({ address }) => written.some((content) => content.includes(address))).length
  const share = (count: number): number => (100 * count) / residents.length
  const central = bytesToHex(peerIdToKey(lab.federation.manifest.central.peerId))
  const direct = residents.filter(({ seen }) => seen.some(({ peer }) => peer === central)).length
  const [one] = lab.federation.saltNodes
  const node = bytesToHex(one!.key)
  const relayed = residents.filter(({ seen }) =>
    seen.some(({ protocol, peer }) => protocol === RELAY_PROTOCOL.id && peer === node),
  )
  const rule = 'no device at the central peer, and no address in its files and log'
  const gate = { rule, holds: recorded === 0 && direct === 0 }
  const more = {
    'with one salt node that relays and colludes, %': share(relayed.length),
    'with one salt node that gives salts and colludes, %': share(guessedByTime(lab, node)),
    'files searched': files.length,
    'log lines': log.length,
    'addresses in files and log': recorded,
  }
  return { value: share(direct), unit: '% of the pseudonyms, by the peer alone', gate, more }
}

/** Each sync is ascribed to the address that asked this node for salts most recently. Returns the right guesses. */
function guessedByTime({ residents }: Lab, node: string): number {
  const all: Seen[] = residents.flatMap(({ seen }) => seen).sort((a, b) => a.order - b.order)
  const asked = all.filter(({ protocol, peer }) => ASKED.includes(protocol) && peer === node)
  const right = residents.filter(({ address, seen }) => {
    const sync = seen.find(({ protocol }) => protocol === RELAY_PROTOCOL.id)
    return sync !== undefined && asked.filter(({ order }) => order < sync.order).at(-1)?.address === address
  })
  return right.length
}
