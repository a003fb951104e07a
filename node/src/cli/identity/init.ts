/**
 * `geotrace salt init` and `central init`: creates the keys once and prints the card with the addresses. node/README.md
 * "From nothing to a member". Without an address the card names loopback addresses, and the output says so.
 * Throws COMMAND_INVALID, FILE_EXPOSED.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, keyToPeerId, type NetworkKind, secretToSigner } from '@geotrace/core-wasm/wire'
import { openSealKeys, SEAL_KEYS_DIR } from '../../central/sealed/seal-keys.ts'
import type { MemberCard } from '../../membership/new-manifest.ts'
import { missingDirs, removeDirs } from '../../platform/atomic-file.ts'
import { fileRecords } from '../../platform/file-records.ts'
import { systemRandom } from '../../platform/random.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { dirOption } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { networkOf, readAddresses, readHost } from './address-check.ts'
import { hostToAddresses, type Ports } from './addresses.ts'
import { CARD, readCard, writeCard } from './card.ts'
import { freshCommitment, NONCE } from './founding-nonce.ts'
import {
  createIdentity,
  hasIdentity,
  type Identity,
  identityToCard,
  loadIdentity,
  OPERATOR_KEY,
  operatorOf,
  PEER_KEY,
} from './identity.ts'
import { assertOperatorName } from './operator-name.ts'

interface InitOptions {
  dir: string
  operator?: string
  host?: string
  port: number
  wsPort: number
  httpsPort?: number
  address?: string[]
}

const LOOPBACK = '127.0.0.1'

export async function initialise(options: InitOptions, role: 'salt' | 'central', out: Output): Promise<void> {
  const { dir } = options
  const isNew = !hasIdentity(dir)
  const known = isNew ? undefined : loadIdentity(dir)
  // Everything typed is checked before the first file is written.
  const named = readTyped(options, known && toPeerId(known))
  const card = await orNothing(dir, () => makeCard(options, named, role))
  out.json(card)
  // The card is JSON without `--json` too, because it is a file that the operator sends.
  out.line(JSON.stringify(card, null, 2))
  out.note(isNew ? `Created the keys of a new node in ${dir}.` : `Kept the keys in ${dir}.`)
  for (const line of advice(card, role, dir)) out.note(line)
}

/** Writes what is missing of keys, nonce and card. */
async function makeCard(options: InitOptions, named: readonly string[], role: 'salt' | 'central'): Promise<MemberCard> {
  const { dir } = options
  const before = readCard(dir)
  const identity = await createIdentity(dir, systemRandom)
  const trial = hostToAddresses(LOOPBACK, optionsToPorts(options))
  const addresses = named.length > 0 ? [...named] : (before?.addresses ?? trial)
  const operator = options.operator ?? before?.operator ?? (role === 'central' ? 'authority' : pseudonym(identity))
  const own = identityToCard(identity, operator, addresses, await freshCommitment(dir, systemRandom))
  const card = role === 'central' ? { ...own, seal: await createSealKey(dir) } : own
  await writeCard(dir, card)
  return card
}

/** The newest seal key of the central peer, hex; the first one is drawn here. */
async function createSealKey(dir: string): Promise<string> {
  const keys = await openSealKeys(await fileRecords(join(dir, SEAL_KEYS_DIR)), systemRandom)
  return bytesToHex((keys.all.at(-1) ?? (await keys.add(0, 0))).key)
}

/** Removes the files that `task` made when it fails, for example because the disk is full after the keys. */
async function orNothing<T>(dir: string, task: () => Promise<T>): Promise<T> {
  const isMissing = (path: string): boolean => !existsSync(path)
  const folders = missingDirs(dir)
  const files = [PEER_KEY, OPERATOR_KEY, NONCE, CARD, SEAL_KEYS_DIR].map((name) => join(dir, name)).filter(isMissing)
  try {
    return await task()
  } catch (error) {
    for (const path of files) await rm(path, { force: true, recursive: true }).catch(() => {})
    await removeDirs(folders)
    throw error
  }
}

/** The addresses that the options name. Throws COMMAND_INVALID. */
function readTyped({ host, address = [], operator, ...options }: InitOptions, peerId: string | undefined): string[] {
  if (operator !== undefined) assertOperatorName(operator, '--operator')
  if (host !== undefined && address.length > 0)
    invalidCommand('--host and --address exclude each other', 'give one of them')
  const ports = optionsToPorts(options)
  const twice = Object.values(ports).find((port, i, all) => all.indexOf(port) !== i)
  if (twice !== undefined)
    invalidCommand(
      `--port, --ws-port and --https-port expected different ports, got ${twice} twice`,
      'change one of them',
    )
  return host === undefined
    ? readAddresses(address, { where: '--address', peerId })
    : hostToAddresses(readHost(host), ports)
}

function optionsToPorts({ port, wsPort, httpsPort }: Pick<InitOptions, 'port' | 'wsPort' | 'httpsPort'>): Ports {
  return { tcp: port, ws: wsPort, ...(httpsPort !== undefined && { tls: httpsPort }) }
}

function toPeerId({ secret }: Identity): string {
  return keyToPeerId(secretToSigner(secret).key)
}

/** A name that says nothing about the operator: the first digits of the operator key. */
function pseudonym(identity: Identity): string {
  return `volunteer-${bytesToHex(secretToSigner(operatorOf(identity)).key).slice(0, 8)}`
}

function advice({ operator, addresses }: MemberCard, role: 'salt' | 'central', dir: string): string[] {
  const at = dirOption(dir, role)
  return [
    `Operator name: ${operator}. Before you are a member, \`geotrace ${role} init${at} --operator NAME\` changes it.`,
    ...reachAdvice(networkOf(addresses, 'the card'), role, at),
    '',
    'Next:',
    '  1. Back up the keys. Without them the membership and the vote are lost.',
    `       geotrace salt backup FILE${role === 'central' ? ` --dir ${dir}` : at}`,
    ...(role === 'central'
      ? ['     The file holds no deposits, reports and marks: see `geotrace central backup`.']
      : []),
    '  2. For a new federation, send this card to the founder. It holds no secret.',
    `     A copy of it is ${join(dir, CARD)}. The founder sends federation.json.`,
    `     Put that file into ${dir} and open your nonce for it:`,
    `       geotrace federation open${role === 'central' ? ` --dir ${dir}` : at} > opening.json`,
    '     Send opening.json to the founder, who then sends the complete federation.json.',
    ...(role === 'salt'
      ? [
          '     For a running federation, send your application to sponsors:',
          `       geotrace federation join${at} --federation federation.json > join.json`,
        ]
      : []),
    `  3. Put the complete federation.json into ${dir}, then start the node:`,
    `       geotrace ${role} run${at}`,
  ]
}

function reachAdvice(network: NetworkKind, role: 'salt' | 'central', at: string): string[] {
  if (network === 'public')
    return ['Open the TCP ports of the addresses in the card in the router and the firewall, and no other ports.']
  const reach = network === 'loopback' ? 'from this machine only' : 'from your own network only'
  return [
    `The addresses in the card are reachable ${reach}. To be reachable for others:`,
    `  geotrace ${role} init${at} --host YOUR-PUBLIC-NAME-OR-ADDRESS`,
  ]
}
