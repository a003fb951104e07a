/**
 * `geotrace federation open`: opens the nonce of a node's card, once the founder has frozen the manifest. PROTOCOL.md
 * §4.2. Throws COMMAND_INVALID, FILE_EXPOSED, MANIFEST_INVALID.
 */
import { join } from 'node:path'
import { bytesToHex, manifestToId } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { readCard } from '../identity/card.ts'
import { openNonce } from '../identity/founding-nonce.ts'
import { loadIdentity } from '../identity/identity.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { defaultDir, examples, readFrozenManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import type { Opening } from './openings.ts'

interface OpenOptions {
  dir: string
  federation?: string
}

export function openCommand(command: Command, out: Output): void {
  command
    .description('open the nonce of your card, once the founder has sent you federation.json')
    .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .action((options: OpenOptions) => open(options, out))
  examples(command, 'geotrace federation open > opening.json')
}

async function open({ dir, federation }: OpenOptions, out: Output): Promise<void> {
  loadIdentity(dir)
  const card =
    readCard(dir) ?? invalidCommand(`no card in ${dir}`, 'run `geotrace salt init` or `geotrace central init`')
  const manifest = readFrozenManifest(federation ?? join(dir, 'federation.json'))
  const nonce = await openNonce(dir, manifest, card)
  const opening: Opening = {
    federation: bytesToHex(manifestToId(manifest)),
    peerId: card.peerId,
    nonce: bytesToHex(nonce),
  }
  out.json(opening)
  // The opening is JSON without `--json` too, because it is a file that the operator sends.
  out.line(JSON.stringify(opening))
  out.note(`Opened for federation ${opening.federation.slice(0, 16)}. Send this line to the founder.`)
  out.note('The founder sends the complete federation.json when all members have opened. Then start your node with it.')
}
