/**
 * `geotrace salt init` and `central init`: creates the keys once and prints the card with the addresses. node/README.md
 * "From nothing to a member". Without an address the card names loopback addresses, and the output says so.
 */
import { bytesToHex, secretToSigner } from '@geotrace/core-wasm/wire'
import type { MemberCard } from '../../membership/new-manifest.ts'
import { systemRandom } from '../../platform/random.ts'
import { dirOption, invalidCommand } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { hostToAddresses, type Ports } from './addresses.ts'
import { readCard, writeCard } from './card.ts'
import { createIdentity, hasIdentity, type Identity, identityToCard } from './identity.ts'

export interface InitOptions {
  dir: string
  operator?: string
  host?: string
  port: number
  wsPort: number
  httpsPort?: number
  address?: string[]
}

const LOOPBACK = '127.0.0.1'

export function initialise(options: InitOptions, role: 'salt' | 'central', out: Output): void {
  const { dir, host, port, wsPort, httpsPort, address = [] } = options
  if (host !== undefined && address.length > 0)
    invalidCommand('--host and --address exclude each other; give one of them')
  const isNew = !hasIdentity(dir)
  const identity = createIdentity(dir, systemRandom)
  const before = readCard(dir)
  const ports: Ports = { tcp: port, ws: wsPort, ...(httpsPort !== undefined && { tls: httpsPort }) }
  const wanted = host === undefined ? address : hostToAddresses(host, ports)
  const addresses = wanted.length > 0 ? wanted : (before?.addresses ?? hostToAddresses(LOOPBACK, ports))
  const operator = options.operator ?? before?.operator ?? (role === 'central' ? 'authority' : pseudonym(identity))
  const card = identityToCard(identity, operator, addresses)
  writeCard(dir, card)
  out.line(JSON.stringify(card, null, 2))
  out.note(isNew ? `Created new keys in ${dir}.` : `Kept the existing keys in ${dir}. The card above is theirs.`)
  for (const line of advice(card, role, dir)) out.note(line)
}

/** A name that says nothing about the operator: the first digits of the operator key. */
function pseudonym({ operatorSecret }: Identity): string {
  if (operatorSecret === undefined)
    invalidCommand('no operator.key in the directory to make a name from; give a name with --operator')
  return `volunteer-${bytesToHex(secretToSigner(operatorSecret).key).slice(0, 8)}`
}

function advice({ operator, addresses }: MemberCard, role: 'salt' | 'central', dir: string): string[] {
  const isTrial = addresses.every((address) => address.includes(`/${LOOPBACK}/`))
  const at = dirOption(dir, role)
  return [
    `Operator name: ${operator}. To change it before you are a member, run init again with --operator NAME.`,
    ...(isTrial
      ? [
          'The addresses are reachable from this machine only. To be reachable for others:',
          `  geotrace ${role} init${at} --host YOUR-PUBLIC-NAME-OR-ADDRESS`,
        ]
      : ['Open the ports of these addresses in the router and the firewall, and no other ports.']),
    '',
    'Next:',
    '  1. Back up the keys. Without them the membership and the vote are lost.',
    `       geotrace salt backup FILE${role === 'central' ? ` --dir ${dir}` : at}`,
    '  2. For a new federation, send the card above to the founder. The card holds no secret.',
    ...(role === 'salt'
      ? [
          '     For a running federation, send your application to sponsors:',
          `       geotrace federation join${at} --federation federation.json > join.json`,
        ]
      : []),
    `  3. Put federation.json into ${dir}, then start the node:`,
    `       geotrace ${role} run${at}`,
  ]
}
