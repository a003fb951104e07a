/**
 * `geotrace federation join | leave`: changes that a node signs with its own keys. PROTOCOL.md §4.9.
 * Throws COMMAND_INVALID, NODE_NOT_RUNNING, CHANGE_INVALID.
 */
import { join } from 'node:path'
import {
  type Change,
  FederationError,
  hexToBytes,
  isFederationError,
  keyToPeerId,
  type Manifest,
  manifestToId,
  newChange,
  peerIdToKey,
  type SignedChange,
  type Signer,
  signChange,
} from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { changeToBase64 } from '../../admin/membership-routes.ts'
import type { MemberCard } from '../../membership/new-manifest.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { readCard } from '../identity/card.ts'
import { loadIdentity, operatorOf } from '../identity/identity.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { defaultDir, dirOption, examples, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { changeToFile, untilEpoch } from './change-file.ts'
import { assertPossible } from './possible.ts'

interface JoinOptions {
  dir: string
  federation?: string
}
interface LeaveOptions extends JoinOptions {
  operator?: boolean
}

export function joinCommand(command: Command, out: Output): void {
  command
    .description('print the application of your node for your sponsors')
    .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .action((options: JoinOptions) => applyToJoin(options, out))
  examples(command, 'geotrace federation join > join.json')
}

export function leaveCommand(command: Command, out: Output): void {
  command
    .description('take this node out of the federation; it serves its shards until its last epoch is over')
    .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .option('--operator', 'leave as an operator with all your nodes')
    .action((options: LeaveOptions) => leave(options, out))
  examples(command, 'geotrace federation leave')
}

async function applyToJoin({ dir, federation }: JoinOptions, out: Output): Promise<void> {
  const identity = loadIdentity(dir)
  const manifest = readManifest(federation ?? join(dir, 'federation.json'))
  const signers = { node: nativeSigner(identity.secret), operator: nativeSigner(operatorOf(identity)) }
  const at = dirOption(dir, 'salt')
  const card = readCard(dir) ?? invalidCommand(`no card in ${dir}`, `run \`geotrace salt init${at}\` first`)
  if (card.peerId !== keyToPeerId(signers.node.key))
    invalidCommand(
      `the card in ${dir} is that of another node, ${card.peerId}`,
      `print a new one: geotrace salt init${at}`,
    )
  if ([manifest.central, ...manifest.members].some(({ peerId }) => peerId === card.peerId))
    invalidCommand('this node founded the federation and needs no application', `start it: geotrace salt run${at}`)
  const signed = cardToApplication(manifest, card, signers)
  await assertPossible(dir, signed)
  const file = changeToFile(signed)
  out.json(file)
  // A change is JSON without `--json` too, because it is a file that the operators send each other.
  out.line(JSON.stringify(file, null, 2))
  out.note('Save this output as join.json and send it to operators who know you. Each of them runs')
  out.note('  geotrace federation vote join.json')
  out.note('One third of the operators plus one must vote for it. The application expires in a week.')
  out.note('Meanwhile run `geotrace salt run`. The node waits, and serves as soon as a roster gives it shards.')
}

/** The application of a node, signed by node and operator. Sponsors add their signatures later. */
export function cardToApplication(
  manifest: Manifest,
  { operator: name, operatorKey, peerId, addresses }: MemberCard,
  { node, operator }: { node: Signer; operator: Signer },
): SignedChange {
  const change: Change = {
    kind: 'join',
    until: untilEpoch(manifestClock(manifest).now()),
    operator: name,
    operatorKey: hexToBytes(operatorKey),
    key: peerIdToKey(peerId),
    addresses,
  }
  return signChange(signChange(propose(manifest, change), node), operator)
}

async function leave({ dir, federation, operator = false }: LeaveOptions, out: Output): Promise<void> {
  const identity = loadIdentity(dir)
  const manifest = readManifest(federation ?? join(dir, 'federation.json'))
  const signer = nativeSigner(operator ? operatorOf(identity) : identity.secret)
  const change: Change = { kind: 'leave', until: untilEpoch(manifestClock(manifest).now()), key: signer.key }
  await handIn(dir, signChange(propose(manifest, change), signer))
  out.json({ leaves: operator ? 'operator' : 'node' })
  out.line('The federation accepted the request. This node leaves with the roster after the next one.')
  out.note('Keep the node running until `geotrace status` shows the state `waiting`. Then stop it.')
}

/** Passes a change to the running node, which spreads it by gossip. Throws NODE_NOT_RUNNING, CHANGE_INVALID. */
export async function handIn(dir: string, change: SignedChange): Promise<void> {
  try {
    await adminRequest(dir, 'POST', '/changes', { change: changeToBase64(change) })
  } catch (error) {
    if (!isFederationError(error, 'NODE_NOT_RUNNING')) throw error
    const what = `no node runs on ${dir}, and only a running node can pass the change on`
    const next = `start the node: geotrace salt run${dirOption(dir, 'salt')}`
    throw new FederationError('NODE_NOT_RUNNING', `${what}; ${next}`, { dir, next }, { cause: error })
  }
}

export function propose(manifest: Manifest, change: Change): SignedChange {
  return newChange(manifestToId(manifest), change)
}
