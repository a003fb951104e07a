/**
 * `geotrace federation join | leave`: changes that a node signs with its own keys. PROTOCOL.md §4.9.
 * Throws COMMAND_INVALID, NODE_NOT_RUNNING, CHANGE_INVALID.
 */
import { join } from 'node:path'
import {
  type Change,
  FederationError,
  hexToBytes,
  type Manifest,
  manifestToId,
  newChange,
  peerIdToKey,
  type SignedChange,
  type Signer,
  signChange,
} from '@geotrace/core-wasm/wire'
import { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { changeToBase64 } from '../../admin/membership-routes.ts'
import type { MemberCard } from '../../membership/new-manifest.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { readCard } from '../identity/card.ts'
import { loadIdentity } from '../identity/identity.ts'
import { defaultDir, examples, invalidCommand, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { changeToFile, untilEpoch } from './change-file.ts'

interface JoinOptions {
  dir: string
  federation?: string
}
interface LeaveOptions extends JoinOptions {
  operator?: boolean
}

export function joinCommand(out: Output): Command {
  const command = new Command('join')
    .description('print the application of your node for your sponsors')
    .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .action((options: JoinOptions) => applyToJoin(options, out))
  return examples(command, 'geotrace federation join > join.json')
}

export function leaveCommand(out: Output): Command {
  const command = new Command('leave')
    .description('take this node out of the federation; it serves its shards until its last epoch is over')
    .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .option('--operator', 'leave as an operator with all your nodes')
    .action((options: LeaveOptions) => leave(options, out))
  return examples(command, 'geotrace federation leave')
}

function applyToJoin({ dir, federation }: JoinOptions, out: Output): void {
  const { secret, operatorSecret } = loadIdentity(dir)
  const manifest = readManifest(federation ?? join(dir, 'federation.json'))
  if (operatorSecret === undefined)
    invalidCommand(`no operator.key in ${dir}; run this command on the machine that has it`)
  const signers = { node: nativeSigner(secret), operator: nativeSigner(operatorSecret) }
  const card = readCard(dir) ?? invalidCommand(`no card in ${dir}; run \`geotrace salt init\` first`)
  const signed = cardToApplication(manifest, card, signers)
  out.line(JSON.stringify(changeToFile(signed), null, 2))
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
  const { secret, operatorSecret } = loadIdentity(dir)
  const manifest = readManifest(federation ?? join(dir, 'federation.json'))
  if (operator && operatorSecret === undefined)
    invalidCommand(`no operator.key in ${dir}; run this command on the machine that has it`)
  const signer = nativeSigner(operator ? operatorSecret! : secret)
  const change: Change = { kind: 'leave', until: untilEpoch(manifestClock(manifest).now()), key: signer.key }
  await handIn(dir, signChange(propose(manifest, change), signer))
  out.line('The federation accepted the request. This node leaves with the roster after the next one.')
  out.note('Keep the node running while `geotrace status` shows the state "draining", then stop it.')
}

/** Passes a change to the running node, which spreads it by gossip. Throws NODE_NOT_RUNNING, CHANGE_INVALID. */
export async function handIn(dir: string, change: SignedChange): Promise<void> {
  try {
    await adminRequest(dir, 'POST', '/changes', { change: changeToBase64(change) })
  } catch (error) {
    if (!(error instanceof FederationError) || error.code !== 'NODE_NOT_RUNNING') throw error
    throw new FederationError('NODE_NOT_RUNNING', `${error.message}; only a running node can pass the change on`, {
      dir,
    })
  }
}

export function propose(manifest: Manifest, change: Change): SignedChange {
  return newChange(manifestToId(manifest), change)
}
